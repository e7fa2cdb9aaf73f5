package swim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A silence is a Runtime that does nothing, for what happens between core and
// network to be measured alone.
type silence struct{ now Instant }

func (s *silence) Now() Instant                         { return s.now }
func (s *silence) SendTo(ID, []byte)                    {}
func (s *silence) SubmitAfter(Timer[ID], time.Duration) {}
func (s *silence) Notify(Notification[ID])              {}
func newRand(seed uint64) *rand.Rand                    { return rand.New(rand.NewPCG(seed, seed)) }
func sizes(b *testing.B, run func(b *testing.B, n int)) {
	sizesOf(b, run, 1000, 10_000, 100_000, 1_000_000)
}
func sizesOf(b *testing.B, run func(*testing.B, int), ns ...int) {
	for _, n := range ns {
		b.Run(fmt.Sprintf("N=%d", n), func(b *testing.B) { run(b, n) })
	}
}

// A bench is a core that knows a population, whose first member talks to it.
type bench struct {
	core    *Core[ID, Addr]
	members []Member[ID] // in random order, which is not the one of the roster
	rt      Runtime[ID]
	packets [][]byte
	arena   []byte // what the packets lie in, one behind the other
	packet  Packet[ID]
	updates int            // in all packets
	inFirst [numStates]int // in the first packet of each state, which is full
}

func newBench(b testing.TB, n int, rt Runtime[ID]) *bench {
	rnd := newRand(1)
	members := population(n, rnd)
	core, err := New(testID4(11<<24|1, 7946, populationNow), Config{MaxMembers: 2 << 20, StallLimit: Off}, Compact(), newRand(2))
	if err != nil {
		b.Fatal(err)
	}
	x := &bench{core: core, members: members, rt: rt}
	for batch := range slices.Chunk(members, 1000) {
		if err := core.Apply(updatesOf(batch), false, rt); err != nil {
			b.Fatal(err)
		}
	}
	for slot := range core.roster.each {
		core.roster.at(slot).flags |= isVerified
	}
	rnd.Shuffle(n, func(i, j int) { members[i], members[j] = members[j], members[i] })
	return x
}

func updatesOf(members []Member[ID]) func(yield func(Update[ID]) bool) {
	return func(yield func(Update[ID]) bool) {
		for _, m := range members {
			if !yield(Update[ID]{Member: m}) {
				return
			}
		}
	}
}

// compose makes full packets that tell of every member, in the given state, at
// its next incarnation if it rises; several times if there are few members, so
// that handling them takes longer than the noise.
func (x *bench) compose(b *testing.B, state State, rise Incarnation) {
	x.packets, x.arena, x.updates = x.packets[:0], x.arena[:0], 0
	for range max(1, 20_000*int(rise)/len(x.members)) {
		x.composeOnce(b, state, rise)
	}
}

func (x *bench) composeOnce(b *testing.B, state State, rise Incarnation) {
	p := &x.packet
	by := []ID{x.members[0].ID}
	for at := 1; at < len(x.members); {
		p.Header = Header[ID]{Src: x.members[0].ID, SrcIncarnation: x.members[0].Incarnation, Dst: x.core.us.id, Message: MessageGossip}
		p.Updates = p.Updates[:0]
		for i := at; i < min(at+220, len(x.members)); i++ {
			x.members[i].State = state
			u := Update[ID]{Member: x.members[i]}
			u.Incarnation += rise
			if state == Suspect {
				u.By = by
			}
			p.Updates = append(p.Updates, u)
		}
		start := len(x.arena)
		arena, err := x.core.codec.Append(x.arena, 1400, p)
		if err != nil {
			b.Fatal(err)
		}
		x.arena = arena
		for i := range p.Updates {
			if !p.Updates[i].Sent {
				break
			}
			x.members[at].Incarnation += rise
			x.updates++
			at++
		}
		x.packets = append(x.packets, arena[start:])
		if x.inFirst[state] == 0 {
			x.inFirst[state] = x.updates
		}
	}
}

// handle feeds all packets to the core.
func (x *bench) handle(b *testing.B) {
	for _, data := range x.packets {
		if err := x.core.HandleData(data, x.rt); err != nil {
			b.Fatal(err)
		}
	}
}

// A baseline is what a lookup in a built-in map costs, with reading and writing
// the 48-byte record that it points to.
type baseline map[Addr]*[6]uint64

func (x *bench) baseline() baseline {
	m := make(baseline)
	for _, member := range x.members {
		m[member.ID.addr] = new([6]uint64)
	}
	return m
}

func (m baseline) pass(members []Member[ID]) {
	for i := range members {
		r := m[members[i].ID.addr]
		r[5] += r[0] + 1
	}
}

// compare runs handling and baseline in turns, five times, and reports the
// median ratio. Both go through all members as often as it takes to be longer
// than the noise.
func (x *bench) compare(b *testing.B, before func()) {
	m := x.baseline()
	var ours, ratios []float64
	for range 5 {
		var spent, reference time.Duration
		updates, lookups := 0, 0
		for updates < 100_000 {
			before()
			began := time.Now()
			x.handle(b)
			spent += time.Since(began)
			updates += x.updates
			began = time.Now()
			for range max(1, x.updates/len(x.members)) {
				m.pass(x.members)
				lookups += len(x.members)
			}
			reference += time.Since(began)
		}
		each := float64(spent.Nanoseconds()) / float64(updates)
		ours = append(ours, each)
		ratios = append(ratios, each/(float64(reference.Nanoseconds())/float64(lookups)))
	}
	b.ReportMetric(median(ours), "ns/update")
	b.ReportMetric(median(ratios), "x-map")
	b.ReportMetric(float64(x.inFirst[x.members[1].State]), "updates/packet")
}

// loop measures allocations and time of single packets, composing new ones
// when all have been handled.
func (x *bench) loop(b *testing.B, before func()) {
	b.ReportAllocs()
	before()
	x.handle(b) // everything has the size it needs
	before()
	at := 0
	for b.Loop() {
		if at == len(x.packets) {
			b.StopTimer()
			before()
			at = 0
			b.StartTimer()
		}
		x.core.HandleData(x.packets[at], x.rt)
		at++
	}
}

func BenchmarkHandleGossip(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		x := newBench(b, n, &silence{})
		fresh := func() { x.compose(b, Alive, 1) }
		x.loop(b, fresh)
		x.compare(b, fresh)
	})
}

func BenchmarkHandleStale(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		x := newBench(b, n, &silence{})
		known := func() {
			x.packets, x.arena, x.updates = x.packets[:0], x.arena[:0], 0
			for range max(1, 20_000/n) {
				x.composeOnce(b, Alive, 0)
			}
		}
		x.loop(b, known)
		x.compare(b, known)
	})
}

func BenchmarkHandleSuspect(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		now := Instant(0)
		out := NewOutbox[ID](func() Instant { return now })
		x := newBench(b, n, out)
		suspect := func() {
			// Everybody refuted, and the deadlines have passed.
			x.compose(b, Alive, 1)
			x.handle(b)
			now = now.Add(time.Hour)
			for event := range out.Due() {
				x.core.HandleTimer(event, out)
			}
			out.Reset()
			x.compose(b, Suspect, 0)
		}
		x.loop(b, suspect)
		x.compare(b, suspect)
		suspect()
		before := out.Len()
		x.handle(b)
		if out.Len()-before < x.updates*9/10 {
			b.Fatalf("%d suspicions submitted %d deadlines", x.updates, out.Len()-before)
		}
	})
}

// fill puts members into the backlog.
func (x *bench) fill(n int) {
	for _, m := range x.members[:n] {
		slot, _ := x.core.roster.find(m.ID.addr)
		x.core.backlog.push(x.core.roster, slot, prioAlive)
	}
}

func benchmarkGossip(b *testing.B, backlog func(n int) int) {
	sizes(b, func(b *testing.B, n int) {
		x := newBench(b, n, &silence{})
		b.ReportAllocs()
		for b.Loop() {
			if x.core.backlog.len() < 450 {
				b.StopTimer()
				x.fill(backlog(n))
				b.StartTimer()
			}
			x.core.Gossip(x.rt)
		}
	})
}

func BenchmarkGossip(b *testing.B) {
	benchmarkGossip(b, func(int) int { return 1000 })
}

func BenchmarkGossipAll(b *testing.B) {
	benchmarkGossip(b, func(n int) int { return n })
}

func withBacklogs(b *testing.B, run func(b *testing.B, x *bench, refill func())) {
	sizes(b, func(b *testing.B, n int) {
		b.Run("backlog=empty", func(b *testing.B) {
			x := newBench(b, n, &silence{})
			run(b, x, func() {})
		})
		b.Run("backlog=full", func(b *testing.B) {
			x := newBench(b, n, &silence{})
			run(b, x, func() {
				if x.core.backlog.len() < 450 {
					b.StopTimer()
					x.fill(min(n, 10_000))
					b.StartTimer()
				}
			})
		})
	})
}

func BenchmarkPingAck(b *testing.B) {
	withBacklogs(b, func(b *testing.B, x *bench, refill func()) {
		m := x.members[0]
		ping, err := x.core.codec.Append(nil, 1400, &Packet[ID]{Header: Header[ID]{
			Src: m.ID, SrcIncarnation: m.Incarnation, Dst: x.core.us.id, Message: MessagePing, Number: 12345, Digest: Digest{Sum: 1, Members: 1001},
		}})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			refill()
			x.core.HandleData(ping, x.rt)
		}
	})
}

// BenchmarkProbeRound measures a whole probe that succeeds: its start, writing
// and handling the ack, and its indirect stage, which finds nothing to do.
func BenchmarkProbeRound(b *testing.B) {
	withBacklogs(b, func(b *testing.B, x *bench, refill func()) {
		rt := x.rt.(*silence)
		c := x.core
		ack := &Packet[ID]{}
		var data []byte
		b.ReportAllocs()
		for b.Loop() {
			refill()
			rt.now = c.tasks[TimerProbe].due
			c.HandleTimer(Timer[ID]{Kind: TimerProbe, Token: c.tasks[TimerProbe].token}, rt)
			ack.Header = Header[ID]{Src: c.probe.target, SrcIncarnation: c.probe.inc, Dst: c.us.id, Message: MessageAck, Number: c.probe.number}
			data, _ = c.codec.Append(data[:0], 1400, ack)
			c.HandleData(data, rt)
			rt.now = c.tasks[TimerIndirect].due
			c.HandleTimer(Timer[ID]{Kind: TimerIndirect, Token: c.tasks[TimerIndirect].token}, rt)
		}
		if c.stats.ProbesFailed+c.stats.ProbesVoid > 0 {
			b.Fatalf("%d probes failed", c.stats.ProbesFailed+c.stats.ProbesVoid)
		}
	})
}

func BenchmarkAnnounceFeed(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		x := newBench(b, n, &silence{})
		rt := x.rt.(*silence)
		var asks [][]byte
		for _, m := range x.members[:1000] {
			data, err := x.core.codec.Append(nil, 1400, &Packet[ID]{PadTo: 1200, Header: Header[ID]{
				Src: m.ID, SrcIncarnation: m.Incarnation, Dst: x.core.us.id, Message: MessageAnnounce,
			}})
			if err != nil {
				b.Fatal(err)
			}
			asks = append(asks, data)
		}
		at := 0
		b.ReportAllocs()
		for b.Loop() {
			rt.now = rt.now.Add(time.Millisecond)
			if x.core.HandleData(asks[at%len(asks)], rt) != nil {
				b.Fatal("no feed")
			}
			at++
		}
	})
}

func BenchmarkBulkApply(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		members := population(n, newRand(1))
		var each []float64
		var longest time.Duration
		for b.Loop() {
			core, err := New(testID4(11<<24|1, 7946, populationNow), Config{MaxMembers: 2 << 20}, Compact(), newRand(2))
			if err != nil {
				b.Fatal(err)
			}
			rt := &silence{}
			var total time.Duration
			for batch := range slices.Chunk(members, 100) {
				began := time.Now()
				core.Apply(updatesOf(batch), true, rt)
				took := time.Since(began)
				total += took
				longest = max(longest, took)
			}
			each = append(each, float64(total.Nanoseconds())/float64(n))
		}
		b.ReportMetric(median(each), "ns/update")
		b.ReportMetric(float64(longest.Microseconds())/1000, "longest-ms")
	})
}
