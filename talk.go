package selkie

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// ErrNotMember: the one who was named is no active member.
var ErrNotMember = errors.New("selkie: not an active member")

// Send hands a payload to one member, where [Config.OnMessage] is given it: in
// a datagram if it fits into one, which may get lost, else over a stream, and
// then an error says whether it arrived. It is at most [Config.MaxMessage]
// bytes, else the error wraps [swim.ErrTooBig]. [ErrNotMember] says that to is no
// active member, in just this life. What is sent to ourselves is given to us as
// well. With [WireFoca] it is errors.ErrUnsupported.
func (n *Node) Send(ctx context.Context, to ID, payload []byte) error {
	if len(payload) > n.maxMessage {
		return fmt.Errorf("selkie: %w: a message of %d bytes, of at most %d", swim.ErrTooBig, len(payload), n.maxMessage)
	}
	fits := false
	var self ID
	err := n.try(func() error {
		self = n.core.Self().ID
		fits = len(payload) <= n.letterRoom()
		switch {
		case n.wire == WireFoca:
			return fmt.Errorf("selkie: %w on foca's wire", errors.ErrUnsupported)
		case to == self:
			fits = true
			n.messages.receive(letter{from: self, body: payload})
		case !n.isActive(to):
			return fmt.Errorf("%w: %v", ErrNotMember, to)
		case fits:
			n.post(letterMessage, to, payload)
		}
		return nil
	})
	if err != nil || fits {
		return err
	}
	return n.overStream(ctx, to, append(appendLetter(nil, letterMessage, self, to), payload...), nil)
}

// Ping measures how long a packet to a member and its answer take, outside of
// the protocol. It is sent again every second until the context ends.
func (n *Node) Ping(ctx context.Context, to ID) (time.Duration, error) {
	again := time.NewTicker(time.Second)
	defer again.Stop()
	answer := make(chan time.Time, 1)
	var began time.Time
	var numbers []uint64
	defer func() {
		_ = n.do(func() { n.pings.forget(numbers) }) // the node may be closed by now
	}()
	for {
		err := n.try(func() error {
			if n.wire == WireFoca {
				return fmt.Errorf("selkie: %w on foca's wire", errors.ErrUnsupported)
			}
			if !n.isActive(to) {
				return fmt.Errorf("%w: %v", ErrNotMember, to)
			}
			number, err := n.pings.expect(to, answer)
			if err != nil {
				return err
			}
			numbers = append(numbers, number)
			began = time.Now()
			n.post(letterPing, to, binary.BigEndian.AppendUint64(nil, number))
			return nil
		})
		if err != nil {
			return 0, err
		}
		select {
		case at := <-answer:
			return at.Sub(began), nil
		case <-again.C:
			// An answer to an earlier one would make this one look quick.
			_ = n.do(func() { n.pings.forget(numbers) })
			numbers = numbers[:0]
			answer = make(chan time.Time, 1)
		case <-ctx.Done():
			return 0, fmt.Errorf("selkie: no answer from %v: %w", to.Addr(), context.Cause(ctx))
		case <-n.stopped:
			return 0, ErrClosed
		}
	}
}

// maxPings is how many answers can be waited for.
const maxPings = 1024

// pings are the answers that are waited for.
type pings struct {
	last    uint64
	waiting map[uint64]waitingPing
}

type waitingPing struct {
	to     ID
	answer chan<- time.Time
}

// expect returns the number of a ping whose answer is waited for.
func (p *pings) expect(to ID, answer chan<- time.Time) (uint64, error) {
	if len(p.waiting) >= maxPings {
		return 0, fmt.Errorf("selkie: %w: %d pings", swim.ErrFull, maxPings)
	}
	if p.waiting == nil {
		p.waiting = make(map[uint64]waitingPing)
	}
	p.last++
	p.waiting[p.last] = waitingPing{to, answer}
	return p.last, nil
}

// answered tells who waits.
func (p *pings) answered(l letter) {
	if len(l.body) != 8 {
		return
	}
	number := binary.BigEndian.Uint64(l.body)
	if w, ok := p.waiting[number]; ok && w.to == l.from {
		delete(p.waiting, number)
		select {
		case w.answer <- time.Now():
		default: // it has one already
		}
	}
}

func (p *pings) forget(numbers []uint64) {
	for _, number := range numbers {
		delete(p.waiting, number)
	}
}

// receive queues a payload that was sent to us alone, and reports whether there
// was room and anybody wants it.
func (m *messages) receive(l letter) bool {
	if m.direct == nil {
		return false
	}
	if len(l.body) > m.most || m.queued.Load() > mostQueued {
		m.lostDirect.Add(1)
		return false
	}
	select {
	case m.queue <- message{from: l.from, payload: bytes.Clone(l.body), direct: true}:
		m.queued.Add(int64(len(l.body)))
		return true
	default:
		m.lostDirect.Add(1)
		return false
	}
}

// mostQueued is at how many bytes of messages that wait for the owner more are
// refused.
const mostQueued = 16 << 20
