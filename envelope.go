package selkie

import (
	crand "crypto/rand"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/frame"
	"github.com/selkie-go/selkie/transport/sealed"
)

// The channels of an envelope.
const (
	channelProtocol uint8 = iota // packets of package swim
	channelLetters               // what nodes have to say to each other beside it: [letter]
)

// An envelope is what is around a payload on its way. Only run uses it.
type envelope interface {
	// overhead is the most bytes that it adds.
	overhead() int
	// wrap appends a payload in its envelope to dst.
	wrap(dst []byte, to ID, channel uint8, payload []byte) []byte
	// unwrap takes a payload out, in place.
	unwrap(datagram []byte, from netip.AddrPort) (unwrapped, error)
	// refused adds what was not let in to the counts, by reason.
	refused(counts map[string]uint64)
}

// An unwrapped is what a datagram held.
type unwrapped struct {
	payload []byte // nil if there is nothing to handle
	channel uint8
	reply   []byte         // to be sent at once, if not nil
	to      netip.AddrPort // where the reply goes
}

// newEnvelope returns what the configuration asks for.
func (n *Node) newEnvelope(cfg Config) (envelope, error) {
	switch {
	case cfg.Wire == WireFoca:
		return bare{}, nil
	case len(cfg.Keys) == 0:
		return &framed{cluster: frame.ClusterOf(cfg.Cluster)}, nil
	}
	e := &sealedEnvelope{node: n}
	box, err := sealed.New(int64(n.clock()), sealed.Config[swim.Addr]{
		Cluster: cfg.Cluster,
		Keys:    cfg.Keys,
		Random:  func(b []byte) { crand.Read(b) }, // never fails
		Parties: parties,
		Ours:    e.ours,
		Knows:   e.knows,
	})
	if err != nil {
		return nil, fmt.Errorf("selkie: Config.Keys: %w", err)
	}
	e.box = box
	return e, nil
}

// bare is no envelope: other programs are at the other end.
type bare struct{}

func (bare) overhead() int { return 0 }

func (bare) wrap(dst []byte, _ ID, _ uint8, payload []byte) []byte { return append(dst, payload...) }

func (bare) unwrap(datagram []byte, _ netip.AddrPort) (unwrapped, error) {
	return unwrapped{payload: datagram}, nil
}

func (bare) refused(map[string]uint64) {}

// framed guards against accidents.
type framed struct {
	cluster frame.Cluster
	faults  [frame.NumFaults]uint64
}

func (f *framed) overhead() int { return frame.Overhead }

func (f *framed) wrap(dst []byte, _ ID, channel uint8, payload []byte) []byte {
	return frame.Append(dst, f.cluster, channel, payload)
}

func (f *framed) unwrap(datagram []byte, _ netip.AddrPort) (unwrapped, error) {
	payload, channel, err := frame.Open(datagram, f.cluster)
	if err != nil {
		f.faults[err.(frame.Fault)]++
	}
	return unwrapped{payload: payload, channel: channel}, err
}

func (f *framed) refused(counts map[string]uint64) {
	for i, count := range f.faults {
		counts[frame.Fault(i).String()] += count
	}
}

// sealedEnvelope guards against everybody without the key.
type sealedEnvelope struct {
	node *Node
	box  *sealed.Box[swim.Addr]
}

// box is what seals our packets, and nil if nothing does: then anybody may have
// sent what we hear.
func (n *Node) box() *sealed.Box[swim.Addr] {
	if e, ok := n.envelope.(*sealedEnvelope); ok {
		return e.box
	}
	return nil
}

func party(id ID) sealed.Party[swim.Addr] {
	return sealed.Party[swim.Addr]{Addr: id.Addr(), Life: id.Generation()}
}

// parties reads who sent a payload, and to whom.
func parties(channel uint8, payload []byte) (from, to sealed.Party[swim.Addr], ok bool) {
	var src, dst ID
	switch channel {
	case channelProtocol:
		_, src, dst, ok = swim.Ends(payload)
	case channelLetters:
		var l letter
		l, ok = readLetter(payload)
		src, dst = l.from, l.to
	}
	return party(src), party(dst), ok
}

// ours reports whether an address is ours, and a life one of this process.
func (e *sealedEnvelope) ours(p sealed.Party[swim.Addr]) (addr, life bool) {
	self := e.node.core.Self().ID
	addr = p.Addr == self.Addr()
	return addr, addr && (p.Life == self.Generation() || slices.Contains(e.node.lives, p.Life))
}

func (e *sealedEnvelope) knows(at swim.Addr) bool {
	_, ok := e.node.core.Member(at)
	return ok
}

func (e *sealedEnvelope) overhead() int { return sealed.Overhead }

func (e *sealedEnvelope) wrap(dst []byte, to ID, channel uint8, payload []byte) []byte {
	return e.box.Seal(dst, int64(e.node.clock()), party(to), channel, payload)
}

func (e *sealedEnvelope) unwrap(datagram []byte, from netip.AddrPort) (unwrapped, error) {
	var source [18]byte
	ip := from.Addr().As16()
	copy(source[:], ip[:])
	binary.BigEndian.PutUint16(source[16:], from.Port())
	o, err := e.box.Open(int64(e.node.clock()), datagram, source[:])
	u := unwrapped{payload: o.Payload, channel: o.Channel, reply: o.Reply, to: from}
	if o.Again {
		u.to = o.To.Addr.AddrPort()
	}
	return u, err
}

func (e *sealedEnvelope) refused(counts map[string]uint64) {
	for i, count := range e.box.Stats().Refused {
		counts[sealed.Fault(i).String()] += count
	}
}
