package selkie

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/sealed"
)

// A Node is one member of a cluster.
//
// Methods may be called from any goroutine. Members, Member, Self and Watch
// never wait for the protocol and never hold it up; what they return are
// values, and no pointer into anything that changes. The other methods are
// carried out by the goroutine that owns the protocol, one after another.
type Node struct {
	log        *slog.Logger
	wire       Wire
	cluster    string
	dataDir    string
	maxMessage int
	transport  Transport
	streams    StreamTransport // the same, if it has streams
	secrets    atomic.Pointer[sealed.Streams]
	messages   *messages
	events     *feed

	// Owned by run; others send it a call.
	core      *swim.Core[swim.ID, swim.Addr]
	out       *swim.Outbox[swim.ID]
	started   time.Time
	audited   swim.Instant // when the view was last compared with the core
	happened  []Event      // memory of publish
	defunct   bool         // we left, and have not come back
	goodbyes  []chan<- struct{}
	lastStats atomic.Pointer[Stats] // set when run returns

	envelope  envelope
	lives     []uint64 // the latest generations that this process had before
	wrapped   []byte   // memory of transmit
	letters   []byte   // memory of post
	keyIDs    []KeyID
	described *description // what we say about ourselves; nil if nothing
	wants     map[swim.Addr]*want
	askAt     swim.Instant         // when the next want is due; 0 if there is none
	meetings  int                  // how often we still compare what we know
	meetAt    swim.Instant         // when next
	questions rate                 // of descriptions, that we answer
	heard     []told               // since the last publish
	pushed    map[swim.Addr]uint64 // the versions of heard that were pushed to us
	pings     pings
	pinged    lastPing
	probing   bool               // a probe is tried over a stream
	fetching  map[swim.Addr]bool // over a stream, from whom
	changed   bool               // since the state was kept
	storing   bool
	storeAt   swim.Instant
	states    uint64 // how many were made to be kept

	streamProbes, streamAcks uint64

	calls   chan func()
	packets *inbox
	batch   []received // of packets, memory of handleWaiting

	life    context.Context // until Close
	end     context.CancelFunc
	stopped chan struct{} // closed when run has returned
	all     sync.WaitGroup

	disk   sync.Mutex
	stored uint64 // number of the state on disk, guarded by disk

	closing    sync.Once
	closeError error

	packetsSent, packetsReceived atomic.Uint64
	bytesSent, bytesReceived     atomic.Uint64
	sendErrors                   atomic.Uint64
	streamsOpened                atomic.Uint64
	streamsRefused               atomic.Uint64
}

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
	if n.streams != nil {
		n.all.Go(n.accept)
	}
	if n.messages.wanted() {
		n.all.Go(n.messages.deliver)
	}
	if names := newNames(cfg, transport.LocalAddr()); names.any() {
		n.all.Go(func() { n.keepNames(names) })
	}
	n.log.Info("started", "addr", n.Self().Addr(), "generation", n.Self().ID.Generation())
	return n, nil
}

func newNode(ctx context.Context, cfg Config, transport Transport) (*Node, error) {
	at, err := cfg.advertised(ctx, transport.LocalAddr())
	if err != nil {
		return nil, err
	}
	saved, err := cfg.load()
	if err != nil {
		return nil, err
	}
	started := time.Now()
	generation := cfg.Wire.generation(started)
	if saved != nil && saved.Generation < 1<<63 {
		generation = max(generation, saved.Generation+1) // whatever the clock says
	}
	self, err := identify(at, generation)
	if err != nil {
		return nil, fmt.Errorf("selkie: %w", err)
	}
	life, end := context.WithCancel(context.Background())
	n := &Node{
		log:        cfg.Log,
		wire:       cfg.Wire,
		cluster:    cfg.Cluster,
		dataDir:    cfg.DataDir,
		maxMessage: cfg.MaxMessage,
		transport:  transport,
		started:    started,
		keyIDs:     idsOf(cfg.Keys),
		wants:      make(map[swim.Addr]*want),
		pushed:     make(map[swim.Addr]uint64),
		fetching:   make(map[swim.Addr]bool),
		calls:      make(chan func()),
		packets:    newInbox(),
		life:       life,
		end:        end,
		stopped:    make(chan struct{}),
	}
	if err := n.begin(cfg, self, saved); err != nil {
		end()
		return nil, err
	}
	return n, nil
}

// begin makes the core, and what is around it.
func (n *Node) begin(cfg Config, self ID, saved *savedState) (err error) {
	n.messages = newMessages(n.life.Done(), self, cfg.Wire.messages(n.clock), cfg)
	if n.envelope, err = n.newEnvelope(cfg); err != nil {
		return err
	}
	if n.wire != WireFoca {
		n.streams, _ = n.transport.(StreamTransport)
		n.messages.describe = n.hearPushed
		if box := n.box(); box != nil {
			n.secrets.Store(box.Streams())
		} else {
			n.secrets.Store(sealed.OpenStreams(n.cluster))
		}
	}
	var seed [32]byte
	random(seed[:])
	cfg.Protocol.MaxPacket -= n.envelope.overhead()
	n.out = swim.NewOutbox[swim.ID](n.clock)
	n.core, err = swim.NewWithHandler(self, cfg.Protocol, cfg.Wire.codec(), rand.New(rand.NewChaCha8(seed)), n.messages)
	if err != nil {
		return fmt.Errorf("selkie: %w", err)
	}
	if cfg.Name != "" || len(cfg.Tags) > 0 || len(cfg.Keys) > 0 {
		d := &description{name: cfg.Name, keys: n.keyIDs}
		d.setTags(cfg.Tags)
		if err := n.describe(d); err != nil {
			return err
		}
	}
	alone := (&view{}).edit()
	alone.set(n.self(n.started))
	n.events = newFeed(cfg.EventBuffer, alone.done())
	n.changed = true
	if saved != nil {
		n.restore(saved)
		n.audited = -swim.Instant(auditRest) // so that the view has them at once
		n.publish()
		n.out.Notifications = n.out.Notifications[:0] // the snapshot of every watcher has them
	}
	return nil
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
	defer n.last()
	alarm := time.NewTimer(0)
	defer alarm.Stop()
	for {
		select {
		case <-n.packets.wake:
		case call := <-n.calls:
			call()
		case <-alarm.C:
		case <-n.life.Done():
			return
		}
		n.handleWaiting()
		for event := range n.out.Due() {
			n.note(n.core.HandleTimer(event, n.out))
			if event.Kind == swim.TimerIndirect && n.streams != nil {
				n.probeByStream()
			}
		}
		n.meet()
		n.flush()
		n.askWanted()
		n.storeLater()
		alarm.Reset(n.untilNext())
	}
}

// untilNext is how long run may sleep.
func (n *Node) untilNext() time.Duration {
	wait := min(n.out.Wake(), n.untilAudit())
	if n.meetings > 0 {
		wait = min(wait, n.meetAt.Sub(n.clock()))
	}
	if n.askAt != 0 {
		wait = min(wait, n.askAt.Sub(n.clock()))
	}
	if n.dataDir != "" && n.changed && !n.storing {
		wait = min(wait, n.storeAt.Sub(n.clock()))
	}
	return wait
}

// read carries packets from the transport to run.
func (n *Node) read() {
	b := make([]byte, n.largest())
	for {
		size, from, err := n.transport.ReadFrom(b)
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				n.log.Error("receiving ended", "error", err)
			}
			return
		}
		n.packetsReceived.Add(1)
		n.bytesReceived.Add(uint64(size))
		p := received{memory.Get().(*[]byte), from}
		*p.data = append((*p.data)[:0], b[:size]...)
		if !n.packets.put(p, n.life.Done()) {
			return
		}
	}
}

// largest is the memory for a datagram: as much as anybody has reason to send, and
// a byte, because one that fills it may have been cut.
func (n *Node) largest() int {
	return min(maxDatagram, max(2*n.core.Config().MaxPacket, 4<<10)) + 1
}

// maxDatagram is the most bytes that a datagram can have.
const maxDatagram = 65535

// handle takes a datagram out of its envelope and to whom it is for.
func (n *Node) handle(p received) {
	u, err := n.envelope.unwrap(*p.data, p.from)
	if u.reply != nil {
		n.write(u.reply, u.to)
	}
	switch {
	case err != nil:
	case u.payload == nil:
	case u.channel == channelProtocol:
		n.watchAck(u.payload)
		err = n.core.HandleData(u.payload, n.out)
	case u.channel == channelLetters:
		err = n.receive(u.payload)
	}
	n.note(err)
	memory.Put(p.data)
}

// handleWaiting hands over the packets that are there already, before any
// timer: an ack must not lose against a deadline that it met.
func (n *Node) handleWaiting() {
	n.batch = n.packets.take(n.batch)
	for _, p := range n.batch {
		n.handle(p)
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
		if n.streams != nil {
			n.watchProbe(p.To, p.Data)
		}
		n.transmit(p.To, channelProtocol, p.Data)
	}
	n.out.Reset()
}

// transmit sends a payload in its envelope. It runs in run.
func (n *Node) transmit(to ID, channel uint8, payload []byte) {
	n.wrapped = n.envelope.wrap(n.wrapped[:0], to, channel, payload)
	n.write(n.wrapped, to.Addr().AddrPort())
}

func (n *Node) write(datagram []byte, to netip.AddrPort) {
	if err := n.transport.WriteTo(datagram, to); err != nil {
		n.sendErrors.Add(1)
		n.log.Debug("not sent", "to", to, "error", err)
		return
	}
	n.packetsSent.Add(1)
	n.bytesSent.Add(uint64(len(datagram)))
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

// last keeps what is to be kept when run ends.
func (n *Node) last() {
	n.keepStats()
	if n.dataDir != "" {
		n.store(n.state())
	}
}
