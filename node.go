package selkie

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A Node is one member of a cluster.
//
// Methods may be called from any goroutine. Members, Member, Self and Watch
// never wait for the protocol and never hold it up; what they return are
// values, and no pointer into anything that changes. The other methods are
// carried out by the goroutine that owns the protocol, one after another.
type Node struct {
	log       *slog.Logger
	wire      Wire
	transport Transport
	messages  *messages
	events    *feed

	// Owned by run; others send it a call.
	core      *swim.Core[swim.ID, swim.Addr]
	out       *swim.Outbox[swim.ID]
	started   time.Time
	audited   swim.Instant // when the view was last compared with the core
	happened  []Event      // memory of publish
	defunct   bool         // we left, and have not come back
	goodbyes  []chan<- struct{}
	lastStats atomic.Pointer[Stats] // set when run returns

	calls   chan func()
	packets chan []byte // received, not yet handled
	free    chan []byte // memory for them

	life    context.Context // until Close
	end     context.CancelFunc
	stopped chan struct{} // closed when run has returned
	all     sync.WaitGroup

	closing    sync.Once
	closeError error

	packetsSent, packetsReceived atomic.Uint64
	bytesSent, bytesReceived     atomic.Uint64
	sendErrors                   atomic.Uint64
}

// maxWaiting is how many packets may wait for the core. Those beyond wait in
// the transport.
const maxWaiting = 256

// Start returns a node that takes part from now on: alone, unless
// [Config.Seeds] names somebody. The context bounds only what Start itself
// waits for, which is the lookup of a name in [Config.Advertise].
func Start(ctx context.Context, cfg Config) (*Node, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, errors.Join(err, cfg.abandon())
	}
	transport, err := cfg.open()
	if err != nil {
		return nil, err
	}
	n, err := newNode(ctx, cfg, transport)
	if err != nil {
		return nil, errors.Join(err, transport.Close())
	}
	n.all.Go(n.read)
	n.all.Go(n.run)
	if cfg.OnBroadcast != nil {
		n.all.Go(n.messages.deliver)
	}
	if seeds := slices.Clone(cfg.Seeds); len(seeds) > 0 {
		n.all.Go(func() { n.keepSeeds(seeds) })
	}
	n.log.Info("started", "addr", n.Self().Addr(), "generation", n.Self().ID.Generation())
	return n, nil
}

func newNode(ctx context.Context, cfg Config, transport Transport) (*Node, error) {
	at, err := cfg.advertised(ctx, transport.LocalAddr())
	if err != nil {
		return nil, err
	}
	started := time.Now()
	self, err := identify(at, cfg.Wire.generation(started))
	if err != nil {
		return nil, fmt.Errorf("selkie: %w", err)
	}
	var seed [32]byte
	crand.Read(seed[:]) // never fails
	life, end := context.WithCancel(context.Background())
	n := &Node{
		log:       cfg.Log,
		wire:      cfg.Wire,
		transport: transport,
		started:   started,
		calls:     make(chan func()),
		packets:   make(chan []byte, maxWaiting),
		free:      make(chan []byte, maxWaiting),
		life:      life,
		end:       end,
		stopped:   make(chan struct{}),
	}
	for range maxWaiting {
		n.free <- nil
	}
	n.messages = newMessages(life.Done(), self, cfg.Wire.messages(n.clock), cfg.OnBroadcast, cfg.EventBuffer)
	n.out = swim.NewOutbox[swim.ID](n.clock)
	n.core, err = swim.NewWithHandler(self, cfg.Protocol, cfg.Wire.codec(), rand.New(rand.NewChaCha8(seed)), n.messages)
	if err != nil {
		end()
		return nil, fmt.Errorf("selkie: %w", err)
	}
	alone := (&view{}).edit()
	alone.set(n.self(started))
	n.events = newFeed(cfg.EventBuffer, alone.done())
	return n, nil
}

// clock tells the core the time. It starts at a second, because an instant of
// 0 means never.
func (n *Node) clock() swim.Instant {
	return swim.Instant(time.Second).Add(time.Since(n.started))
}

// run is the loop that owns the core: whatever happens to it happens here,
// one thing after another.
func (n *Node) run() {
	defer close(n.stopped)
	defer n.keepStats()
	alarm := time.NewTimer(0)
	defer alarm.Stop()
	for {
		select {
		case p := <-n.packets:
			n.handle(p)
		case call := <-n.calls:
			call()
		case <-alarm.C:
		case <-n.life.Done():
			return
		}
		n.handleWaiting()
		for event := range n.out.Due() {
			n.note(n.core.HandleTimer(event, n.out))
		}
		n.flush()
		alarm.Reset(min(n.out.Wake(), n.untilAudit()))
	}
}

// read carries packets from the transport to run.
func (n *Node) read() {
	b := make([]byte, maxDatagram+n.transport.Overhead())
	for {
		size, _, err := n.transport.ReadFrom(b)
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				n.log.Error("receiving ended", "error", err)
			}
			return
		}
		n.packetsReceived.Add(1)
		n.bytesReceived.Add(uint64(size))
		select {
		case memory := <-n.free:
			n.packets <- append(memory[:0], b[:size]...)
		case <-n.life.Done():
			return
		}
	}
}

// maxDatagram is the most bytes that a datagram can have.
const maxDatagram = 65535

func (n *Node) handle(packet []byte) {
	n.note(n.core.HandleData(packet, n.out))
	n.free <- packet
}

// handleWaiting hands over the packets that are there already, before any
// timer: an ack must not lose against a deadline that it met.
func (n *Node) handleWaiting() {
	for range len(n.packets) {
		n.handle(<-n.packets)
	}
}

// note logs an error of the core. It has been counted, and nobody waits for it.
func (n *Node) note(err error) {
	if err != nil && n.log.Enabled(context.Background(), slog.LevelDebug) {
		n.log.Debug("ignored", "reason", err)
	}
}

// flush carries out what the core decided. We know it before others hear it.
func (n *Node) flush() {
	n.publish()
	for _, p := range n.out.Packets {
		if err := n.transport.WriteTo(p.Data, p.To.Addr().AddrPort()); err != nil {
			n.sendErrors.Add(1)
			n.log.Debug("not sent", "to", p.To, "error", err)
			continue
		}
		n.packetsSent.Add(1)
		n.bytesSent.Add(uint64(len(p.Data)))
	}
	n.out.Reset()
}

// do has f called by run, and returns when its effects can be seen.
func (n *Node) do(f func()) error {
	done := make(chan struct{})
	call := func() {
		defer close(done)
		f()
		n.flush()
	}
	select {
	case n.calls <- call:
		<-done
		return nil
	case <-n.stopped:
		return ErrClosed
	}
}

// try is do for something that may fail.
func (n *Node) try(f func() error) error {
	var failed error
	if err := n.do(func() { failed = f() }); err != nil {
		return err
	}
	return failed
}

// Close ends the node at once: to the others it looks like a crash, unless it
// left before. No goroutine of the node is left when Close returns. The
// readings go on saying what was true at the end. Closing again does nothing.
func (n *Node) Close() error {
	n.closing.Do(func() {
		n.end()
		if err := n.transport.Close(); err != nil {
			n.closeError = fmt.Errorf("selkie: %w", err)
		}
	})
	n.all.Wait()
	return n.closeError
}
