package swim

import (
	"testing"
	"time"
)

// BenchmarkGuard measures what a guard costs for each input while nothing
// happens but probes, ours and those of others. Rounds with a guard and without
// take turns, so that a noisy machine disturbs both alike.
func BenchmarkGuard(b *testing.B) {
	sizesOf(b, func(b *testing.B, n int) {
		bare, guarded := newRounds(b, n, false), newRounds(b, n, true)
		var without, with []float64
		b.ReportAllocs()
		for b.Loop() {
			without = append(without, bare.timed())
			with = append(with, guarded.timed())
		}
		b.ReportMetric(median(with)-median(without), "guard-ns/input")
		b.ReportMetric(median(without), "core-ns/input")
	}, 8, 64, 1000)
}

// timed runs some rounds and returns what an input took.
func (r *rounds) timed() float64 {
	const rounds = 50
	began := time.Now()
	for range rounds {
		r.run()
	}
	return float64(time.Since(began).Nanoseconds()) / (rounds * roundInputs)
}

// rounds are probe rounds of a core, with a guard or without.
type rounds struct {
	t      testing.TB
	core   *Core[ID, Addr]
	rt     Runtime[ID]
	quiet  *silence
	guard  *Guard[ID, Addr]
	packet Packet[ID]
	data   []byte
	other  Member[ID]
	number uint32
}

func newRounds(b testing.TB, n int, guarded bool) *rounds {
	quiet := &silence{}
	x := newBench(b, n, quiet)
	r := &rounds{t: b, core: x.core, rt: quiet, quiet: quiet, other: x.members[0]}
	if guarded {
		r.guard = NewGuard(x.core)
		r.rt = r.guard.Watch(quiet)
	}
	for range 100 { // until what goes on for a while has ended
		r.run()
	}
	return r
}

// roundInputs is how many inputs a round has.
const roundInputs = 4

// run is our probe, its ack, its indirect stage, and the probe of another.
func (r *rounds) run() {
	c := r.core
	r.fire(TimerProbe)
	p := &r.packet
	p.Header = Header[ID]{Src: c.probe.target, SrcIncarnation: c.probe.inc, Dst: c.us.id, Message: MessageAck, Number: c.probe.number}
	r.receive()
	r.fire(TimerIndirect)
	r.number++
	p.Header = Header[ID]{Src: r.other.ID, SrcIncarnation: r.other.Incarnation, Dst: c.us.id, Message: MessagePing, Number: r.number}
	r.receive()
}

func (r *rounds) receive() {
	var err error
	if r.data, err = r.core.codec.Append(r.data[:0], 1400, &r.packet); err != nil {
		r.t.Fatal(err)
	}
	if r.guard != nil {
		r.guard.Received(r.data)
	}
	if err := r.core.HandleData(r.data, r.rt); err != nil {
		r.t.Fatal(err)
	}
	r.check()
}

func (r *rounds) fire(k TimerKind) {
	r.quiet.now = r.core.tasks[k].at.Add(time.Microsecond)
	event := Timer[ID]{Kind: k, Token: r.core.tasks[k].token}
	if r.guard != nil {
		r.guard.Fired(event)
	}
	if err := r.core.HandleTimer(event, r.rt); err != nil {
		r.t.Fatal(err)
	}
	r.check()
}

func (r *rounds) check() {
	if r.guard == nil {
		return
	}
	if err := r.guard.Check(); err != nil {
		r.t.Fatal(err)
	}
}
