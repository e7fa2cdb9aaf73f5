package swim

import (
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// A who is the identity of the tests: a name of lower-case letters, and which
// life of it. It prints as "b", later lives as "b2", "b3".
type who struct {
	name string
	life int
}

func (w who) Addr() string              { return w.name }
func (w who) Supersedes(older who) bool { return w.life > older.life }
func (w who) Renew() (who, bool)        { return who{w.name, w.life + 1}, w.life < lastLife }

func (w who) String() string {
	if w.life == 1 {
		return w.name
	}
	return fmt.Sprintf("%s%d", w.name, w.life)
}

// lastLife is the one after which an identity of the tests can not renew.
const lastLife = 200

// names is the codec of the tests.
var names = Plain(
	func(b []byte, w who) []byte {
		b = append(b, byte(len(w.name)))
		b = append(b, w.name...)
		return append(b, byte(w.life))
	},
	func(data []byte) (who, int, error) {
		if len(data) < 1 || data[0] == 0 || len(data) < int(data[0])+2 {
			return who{}, 0, ErrMalformed
		}
		n := int(data[0]) + 1
		return who{string(data[1:n]), int(data[n])}, n + 1, nil
	},
	16,
)

// A cluster is some cores in one network under one clock, in a single
// goroutine. Its fields are its faults: assign, then run.
type cluster struct {
	t       testing.TB
	now     Instant
	nodes   []*testNode
	flights []flight
	sent    int
	rnd     *rand.Rand

	cfg       Config
	latency   time.Duration
	lost      func(from, to string) bool
	loss      float64
	jitter    time.Duration // added to the latency, drawn for each packet
	twice     float64       // how many packets arrive twice
	damage    float64       // of how many packets a bit is flipped
	trace     io.Writer     // if set, everything that happens is written to it
	origin    Instant       // from which the trace counts
	unguarded bool          // memory fails, and invariants with it
	hidden    func(actors []string, p *Packet[who]) bool
}

type testNode struct {
	name    string
	core    *Core[who, string]
	out     *Outbox[who]
	running bool
	paused  bool // neither reads nor runs timers
	mailbox [][]byte
	events  []Notification[who]
	errs    []error
	values  map[string]uint64 // of the broadcast handler
	guard   *Guard[who, string]
	rt      Runtime[who] // the outbox, with the guard before it
}

type flight struct {
	at       Instant
	sequence int
	from, to string
	data     []byte
}

func newCluster(t testing.TB, cfg Config, members ...string) *cluster {
	c := &cluster{t: t, cfg: cfg.WithDefaults(), latency: time.Millisecond, rnd: rand.New(rand.NewPCG(7, 7))}
	for _, name := range members {
		c.start(name, 1)
	}
	return c
}

// start begins a life of a process.
func (c *cluster) start(name string, life int) *testNode {
	n := c.find(name)
	if n == nil {
		n = &testNode{name: name}
		c.nodes = append(c.nodes, n)
	}
	seed := uint64(life)
	for _, r := range name {
		seed = seed*31 + uint64(r)
	}
	n.values = make(map[string]uint64)
	core, err := NewWithHandler(who{name, life}, c.cfg, names, rand.New(rand.NewPCG(seed, 1)), BroadcastHandler[who](n))
	if err != nil {
		c.t.Fatal(err)
	}
	n.core, n.out, n.running = core, NewOutbox[who](func() Instant { return c.now }), true
	n.watch()
	n.mailbox = nil
	return n
}

// watch begins to guard the core of a node.
func (n *testNode) watch() {
	n.guard = NewGuard(n.core)
	n.rt = n.guard.Watch(n.out)
}

// Receive takes payloads of the form "name=version".
func (n *testNode) Receive(item []byte, from who) (Key, bool, error) {
	var version uint64
	name, rest, ok := strings.Cut(string(item), "=")
	if _, err := fmt.Sscan(rest, &version); !ok || err != nil {
		return Key{}, false, fmt.Errorf("payload %q", item)
	}
	if n.values[name] >= version {
		return Key{}, false, nil
	}
	n.values[name] = version
	return Key{Name: name, Version: version}, true, nil
}

func (n *testNode) Wants(Member[who]) bool { return true }

func (c *cluster) find(name string) *testNode {
	for _, n := range c.nodes {
		if n.name == name {
			return n
		}
	}
	return nil
}

func (c *cluster) node(name string) *testNode {
	c.t.Helper()
	n := c.find(name)
	if n == nil {
		c.t.Fatalf("no node %q", name)
	}
	return n
}

func (c *cluster) core(name string) *Core[who, string] { c.t.Helper(); return c.node(name).core }

// do calls a core's input and carries out what it asked for.
func (c *cluster) do(name string, input func(core *Core[who, string], rt Runtime[who]) error) error {
	c.t.Helper()
	n := c.node(name)
	err := input(n.core, n.rt)
	c.flush(n)
	return err
}

// meet lets every node ask the first to join.
func (c *cluster) meet() {
	c.t.Helper()
	for _, n := range c.nodes[1:] {
		if err := n.core.Announce(who{c.nodes[0].name, 0}, n.rt); err != nil {
			c.t.Fatal(err)
		}
		c.flush(n)
	}
}

// check looks whether a node broke an invariant by its last input.
func (c *cluster) check(n *testNode) {
	if c.unguarded {
		return
	}
	if err := n.guard.CheckAll(); err != nil {
		c.t.Fatalf("%v: %s: %v", c.now, n.name, err)
	}
}

// flush sends what a node wants to send and notes its notifications.
func (c *cluster) flush(n *testNode) {
	c.check(n)
	for _, d := range n.out.Packets {
		c.send(n.name, d.To.name, slices.Clone(d.Data))
	}
	for _, e := range n.out.Notifications {
		n.events = append(n.events, e)
		c.tell(n.name, "! %v", e)
	}
	n.out.Reset()
}

func (c *cluster) send(from, to string, data []byte) {
	cut := c.lost != nil && c.lost(from, to) || c.chance(c.loss)
	if cut {
		c.logPacket(from, "-x", to, data)
		return
	}
	c.logPacket(from, "->", to, data)
	c.fly(from, to, data)
	if c.chance(c.twice) {
		c.fly(from, to, slices.Clone(data))
	}
}

// fly puts a packet on its way.
func (c *cluster) fly(from, to string, data []byte) {
	if c.chance(c.damage) {
		data[c.rnd.IntN(len(data))] ^= 1 << c.rnd.IntN(8)
	}
	delay := c.latency
	if c.jitter > 0 {
		delay += time.Duration(c.rnd.Int64N(int64(c.jitter)))
	}
	c.sent++
	c.flights = append(c.flights, flight{c.now.Add(delay), c.sent, from, to, data})
}

func (c *cluster) chance(p float64) bool { return p > 0 && c.rnd.Float64() < p }

func (c *cluster) logPacket(from, arrow, to string, data []byte) {
	if c.trace == nil {
		return
	}
	var p Packet[who]
	if err := names.Parse(data, &p); err != nil {
		c.t.Errorf("%s sent a packet that does not parse: %x", from, data)
		return
	}
	if h := &p.Header; c.hidden == nil || !c.hidden([]string{from, to}, &p) {
		said := ""
		if h.SrcIncarnation > 0 && h.SrcState == Alive {
			said += fmt.Sprintf(" alive %d", h.SrcIncarnation)
		}
		if h.SrcMetadata > 0 {
			said += fmt.Sprintf(" metadata %d", h.SrcMetadata)
		}
		size := ""
		if h.Message == MessageAnnounce || h.Message == MessageFeed {
			size = fmt.Sprintf(" (%d bytes)", len(data))
		}
		c.log("%v%s %s %v  %v%s", h.Src, said, arrow, h.Dst, &p, size)
	}
}

// tell logs what one node did without sending anything.
func (c *cluster) tell(name, format string, args ...any) {
	if c.hidden == nil || !c.hidden([]string{name}, nil) {
		c.log(name+"  "+format, args...)
	}
}

func (c *cluster) log(format string, args ...any) {
	if c.trace != nil {
		fmt.Fprintf(c.trace, "%-8v "+format+"\n", append([]any{c.now - c.origin}, args...)...)
	}
}

// run lets time pass.
func (c *cluster) run(d time.Duration) {
	end := c.now.Add(d)
	for {
		next, ok := c.next()
		if !ok || next > end {
			break
		}
		c.now = max(c.now, next)
		c.deliver()
		for _, n := range c.nodes {
			if n.running && !n.paused {
				c.tick(n)
			}
		}
	}
	c.now = end
}

// next is when something happens next.
func (c *cluster) next() (next Instant, ok bool) {
	next = 1<<63 - 1
	for _, f := range c.flights {
		next = min(next, f.at)
	}
	for _, n := range c.nodes {
		if wake := n.out.Wake(); n.running && !n.paused && wake != Never {
			next = min(next, c.now.Add(wake))
		}
	}
	return next, next != 1<<63-1
}

// deliver hands over the packets that have arrived.
func (c *cluster) deliver() {
	slices.SortStableFunc(c.flights, func(a, b flight) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.sequence, b.sequence)) })
	for len(c.flights) > 0 && c.flights[0].at <= c.now {
		f := c.flights[0]
		c.flights = c.flights[1:]
		for _, n := range c.nodes {
			switch {
			case n.core.Self().ID.name != f.to || !n.running:
			case n.paused:
				n.mailbox = append(n.mailbox, f.data)
			default:
				c.receive(n, f.data)
			}
		}
	}
}

func (c *cluster) receive(n *testNode, data []byte) {
	n.guard.Received(data)
	if err := n.core.HandleData(data, n.rt); err != nil {
		n.errs = append(n.errs, err)
		c.tell(n.name, ". %v", strings.TrimPrefix(err.Error(), "swim: "))
	}
	c.flush(n)
}

func (c *cluster) tick(n *testNode) {
	for event := range n.out.Due() {
		n.guard.Fired(event)
		if err := n.core.HandleTimer(event, n.rt); err != nil {
			n.errs = append(n.errs, err)
			c.tell(n.name, ". %v", strings.TrimPrefix(err.Error(), "swim: "))
		}
		c.flush(n)
	}
}

// crash ends a process without a word.
func (c *cluster) crash(name string) { c.node(name).running = false }

// pause stops a process; resume lets it go on, its packets first.
func (c *cluster) pause(name string) { c.node(name).paused = true }

func (c *cluster) resume(name string) {
	n := c.node(name)
	n.paused = false
	for _, data := range n.mailbox {
		c.receive(n, data)
	}
	n.mailbox = nil
	c.tick(n)
}

// view lists what a node knows, as its owner sees it.
func (c *cluster) view(name string) string {
	var lines []string
	for m := range c.core(name).Known() {
		lines = append(lines, m.String())
	}
	slices.Sort(lines)
	return strings.Join(lines, ", ")
}

// wantView checks what a node knows.
func (c *cluster) wantView(name, want string) {
	c.t.Helper()
	if got := c.view(name); got != want {
		c.t.Errorf("%v: %s knows %q, want %q", c.now, name, got, want)
	}
}

// happened lists what a node's owner was told, since the last call.
func (c *cluster) happened(name string) string {
	n := c.node(name)
	var lines []string
	for _, e := range n.events {
		s := e.String()
		if e.Kind == NotifyDown && e.Member.State == Down {
			s = "down " + e.Member.ID.String()
		}
		lines = append(lines, s)
	}
	n.events = nil
	return strings.Join(lines, ", ")
}
