package selkie

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/sealed"
)

// A StreamTransport is a [Transport] that has streams to the same addresses, too:
// for what is larger than a datagram, and to reach members whose datagrams get
// lost. Package stream and package mem in transport have them.
type StreamTransport interface {
	Transport
	// Dial opens a stream to whoever accepts at an address.
	Dial(ctx context.Context, to netip.AddrPort) (net.Conn, error)
	// Accept waits for a stream. It returns an error only when there will be no
	// more. How many there are, and how long each may take until Trust is called,
	// is up to the transport.
	Accept() (net.Conn, error)
}

// A stream that is bounded by its transport is told when the other side has
// shown that it has the key, and how much may come. Others have ten seconds.
type bounded interface {
	Trust(size int64) bool
}

var (
	errBroken  = errors.New("selkie: the stream broke off, or is not of this cluster")
	errTooMany = errors.New("selkie: too many questions in a second")
)

// A stream is a [net.Conn] that carries letters, each in as many sealed records
// as it takes, behind its length in 4 bytes.
type stream struct {
	conn    net.Conn
	records *sealed.Records
	opened  []byte // what came and was not read yet
	ended   bool   // nothing will come any more
}

func random(b []byte) { crand.Read(b) } // never fails

// greet begins a stream that we dialled.
func greet(conn net.Conn, secrets *sealed.Streams) (*stream, error) {
	var g sealed.Greeting
	if _, err := io.ReadFull(conn, g[:]); err != nil {
		return nil, err
	}
	reply, records, err := secrets.Dial(g, random)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Write(reply[:]); err != nil {
		return nil, err
	}
	return &stream{conn: conn, records: records}, nil
}

// welcome begins a stream that was accepted.
func welcome(conn net.Conn, secrets *sealed.Streams) (*stream, error) {
	g := secrets.Greet(random)
	if _, err := conn.Write(g[:]); err != nil {
		return nil, err
	}
	var reply [sealed.DiallerSize]byte
	if _, err := io.ReadFull(conn, reply[:]); err != nil {
		return nil, err
	}
	records, err := secrets.Accept(g, reply)
	if err != nil {
		return nil, err
	}
	return &stream{conn: conn, records: records}, nil
}

// write sends a letter. After the last one nothing more can be sent.
func (s *stream) write(letter []byte, last bool) error {
	rest := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(letter)), uint32(len(letter)))
	rest = append(rest, letter...)
	var out []byte
	for {
		size := min(len(rest), sealed.MaxRecord)
		out = s.records.Seal(out[:0], rest[:size], last && size == len(rest))
		if _, err := s.conn.Write(out); err != nil {
			return err
		}
		if rest = rest[size:]; len(rest) == 0 {
			return nil
		}
	}
}

// read returns the next letter of at most so many bytes, and io.EOF after the
// last. Memory grows with what comes, not with what is announced.
func (s *stream) read(most int) (letter, error) {
	for len(s.opened) < 4 {
		if s.ended && len(s.opened) == 0 {
			return letter{}, io.EOF
		}
		if err := s.fill(); err != nil {
			return letter{}, err
		}
	}
	length := int64(binary.BigEndian.Uint32(s.opened))
	if length > int64(most) {
		return letter{}, fmt.Errorf("%w: a letter of %d bytes, of at most %d", errBroken, length, most)
	}
	for int64(len(s.opened)) < 4+length {
		if err := s.fill(); err != nil {
			return letter{}, err
		}
	}
	l, ok := readLetter(s.opened[4 : 4+length])
	s.opened = s.opened[4+length:]
	if !ok {
		return letter{}, errLetter
	}
	return l, nil
}

// fill reads one record.
func (s *stream) fill() error {
	if s.ended {
		return errBroken
	}
	var head [sealed.RecordHeader]byte
	if _, err := io.ReadFull(s.conn, head[:]); err != nil {
		return broken(err)
	}
	size, err := s.records.Body(head)
	if err != nil {
		return err
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(s.conn, body); err != nil {
		return broken(err)
	}
	payload, last, err := s.records.Open(head, body)
	s.opened, s.ended = append(s.opened, payload...), last
	return err
}

// broken makes an end that was not announced an error.
func broken(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errBroken
	}
	return err
}

// overStream sends a letter to a member over a stream and hands each letter that
// comes back to reply, which may be nil. It returns without an error only if the
// member said that it is done.
func (n *Node) overStream(ctx context.Context, to ID, question []byte, reply func(letter) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("selkie: stream to %v: %w", to.Addr(), err)
		}
	}()
	if n.streams == nil {
		return errors.ErrUnsupported
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(n.life, func() { cancel(ErrClosed) })()
	conn, err := n.streams.Dial(ctx, to.Addr().AddrPort())
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer func() {
		if ctx.Err() != nil && err != nil {
			err = context.Cause(ctx)
		}
	}()
	n.streamsOpened.Add(1)
	s, err := greet(conn, n.secrets.Load())
	if err != nil {
		return broken(err)
	}
	if b, ok := conn.(bounded); ok {
		b.Trust(int64(len(question)) + int64(n.mostLetter()))
	}
	if err := s.write(question, true); err != nil {
		return err
	}
	for {
		l, err := s.read(n.mostLetter())
		switch {
		case err == io.EOF:
			return errBroken
		case err != nil:
			return err
		case l.from.Addr() != to.Addr():
			return errLetter
		case l.kind == letterDone:
			return nil
		case reply != nil:
			if err := reply(l); err != nil {
				return err
			}
		}
	}
}

// mostLetter bounds the letters that come over streams.
func (n *Node) mostLetter() int { return max(n.maxMessage, maxDescription+64) + maxLetterHeader }

// accept serves the streams of others until the end.
func (n *Node) accept() {
	for {
		conn, err := n.streams.Accept()
		if err != nil {
			return
		}
		// The node can not have ended: we are one of those that it waits for.
		n.all.Go(func() {
			defer conn.Close()
			stop := context.AfterFunc(n.life, func() { conn.Close() })
			defer stop()
			if err := n.serve(conn); err != nil {
				n.streamsRefused.Add(1)
				n.log.Debug("stream broken off", "from", conn.RemoteAddr(), "error", err)
				return
			}
			n.streamsOpened.Add(1)
		})
	}
}

// serve answers the one letter of a stream. Who does not have the key is told
// nothing.
func (n *Node) serve(conn net.Conn) error {
	if _, ok := conn.(bounded); !ok {
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second)) // then the other side sees to it
	}
	s, err := welcome(conn, n.secrets.Load())
	if err != nil {
		return err
	}
	if b, ok := conn.(bounded); ok && !b.Trust(int64(n.mostLetter())) {
		return errTooMany
	}
	l, err := s.read(n.mostLetter())
	if err != nil {
		return err
	}
	var a answer
	if err := n.try(func() error { return n.answer(l, &a) }); err != nil {
		return err
	}
	for _, packet := range a.packets {
		if err := s.write(append(appendLetter(nil, letterPacket, a.self, l.from), packet...), false); err != nil {
			return err
		}
	}
	for _, m := range a.described {
		if err := s.write(appendTold(appendLetter(nil, letterTell, a.self, l.from), m), false); err != nil {
			return err
		}
	}
	return s.write(appendLetter(nil, letterDone, a.self, l.from), true)
}

// An answer is what goes back over a stream, and is written when run goes on.
type answer struct {
	self      ID
	packets   [][]byte
	described []Member
}

// answer handles a letter that came over a stream. It runs in run.
func (n *Node) answer(l letter, a *answer) (err error) {
	a.self = n.core.Self().ID
	if l.kind == letterPacket {
		a.packets = n.answerPacket(l)
		return nil
	}
	if l.to != a.self || !n.isActive(l.from) {
		return ErrNotMember
	}
	switch l.kind {
	case letterMessage:
		if !n.messages.receive(l) {
			return fmt.Errorf("selkie: %w: nobody takes messages", swim.ErrFull)
		}
	case letterAsk:
		a.described, err = n.wanted(l.body, mostWanted)
	default:
		err = errLetter
	}
	return err
}

// answerPacket handles a packet of the protocol, and takes what the core sends
// to its sender back over the stream.
func (n *Node) answerPacket(l letter) (answers [][]byte) {
	if _, from, _, ok := swim.Ends(l.body); !ok || from != l.from {
		n.note(errLetter)
		return nil
	}
	sent := len(n.out.Packets)
	n.note(n.core.HandleData(l.body, n.out))
	for _, p := range n.out.Packets[sent:] {
		if p.To.Addr() == l.from.Addr() {
			answers = append(answers, slices.Clone(p.Data))
		}
	}
	return answers
}

// A lastPing is the ping of the probe that runs, in case its datagrams get lost.
type lastPing struct {
	to     ID // zero if it was answered, or tried again
	packet []byte
}

// watchProbe looks at a packet that the core sends.
func (n *Node) watchProbe(to ID, packet []byte) {
	if m, _, _, ok := swim.Ends(packet); ok && m == swim.MessagePing {
		n.pinged.to, n.pinged.packet = to, append(n.pinged.packet[:0], packet...)
	}
}

// watchAck looks at a packet that came.
func (n *Node) watchAck(packet []byte) {
	if n.pinged.to == (ID{}) {
		return
	}
	if m, from, _, ok := swim.Ends(packet); ok && m == swim.MessageAck && from.Addr() == n.pinged.to.Addr() {
		n.pinged.to = ID{}
	}
}

// probeByStream asks a member over a stream what its datagrams do not say: it is
// called when others are asked to probe it, too. It runs in run.
func (n *Node) probeByStream() {
	to := n.pinged.to
	if to == (ID{}) || n.probing {
		return
	}
	n.pinged.to, n.probing = ID{}, true
	n.streamProbes++
	question := append(appendLetter(nil, letterPacket, n.core.Self().ID, to), n.pinged.packet...)
	patience := n.core.Config().Period
	n.all.Go(func() {
		ctx, cancel := context.WithTimeout(n.life, patience)
		defer cancel()
		err := n.overStream(ctx, to, question, func(l letter) error {
			if l.kind != letterPacket {
				return errLetter
			}
			return n.do(func() {
				if m, _, _, ok := swim.Ends(l.body); ok && m == swim.MessageAck {
					n.streamAcks++
				}
				n.note(n.core.HandleData(l.body, n.out))
			})
		})
		_ = n.do(func() { n.probing = false }) // the node may be closed by now
		if err == nil {
			n.log.Debug("only a stream reaches a member", "member", to.Addr())
		}
	})
}

// fetch asks a member over a stream for descriptions that are too large for
// datagrams. It runs in run.
func (n *Node) fetch(from ID, wanted []byte) {
	if n.streams == nil || len(n.fetching) >= maxFetches || n.fetching[from.Addr()] {
		return // it is asked again later
	}
	n.fetching[from.Addr()] = true
	question := append(appendLetter(nil, letterAsk, n.core.Self().ID, from), wanted...)
	n.all.Go(func() {
		ctx, cancel := context.WithTimeout(n.life, 10*time.Second)
		defer cancel()
		err := n.overStream(ctx, from, question, func(l letter) error {
			if l.kind != letterTell {
				return errLetter
			}
			return n.try(func() error {
				if !n.isActive(l.from) {
					return ErrNotMember
				}
				return n.hear(l.from, l.body)
			})
		})
		_ = n.do(func() { delete(n.fetching, from.Addr()) }) // the node may be closed by now
		if err != nil {
			n.log.Debug("description not fetched", "member", from.Addr(), "error", err)
		}
	})
}
