package swim

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// benchRoom is what a packet leaves the codec by default.
const benchRoom = 1400

// benchUpdates returns updates about members in one state, accused by one of
// three others each.
func benchUpdates(members []Member[ID], s State) []Update[ID] {
	accusers := members[:3]
	updates := make([]Update[ID], 0, len(members))
	for i, m := range members[3:] {
		m.State = s
		u := Update[ID]{Member: m}
		if accusable(s) {
			u.By = []ID{accusers[i%3].ID}
		}
		updates = append(updates, u)
	}
	return updates
}

// benchPacket returns a gossip of the population, with as many updates as fit.
func benchPacket(of func(int, *rand.Rand) []Member[ID], s State, seed uint64) *Packet[ID] {
	members := of(302, rand.New(rand.NewPCG(seed, 1)))
	p := &Packet[ID]{
		Header:  Header[ID]{Src: members[0].ID, Dst: members[1].ID, Message: MessageGossip},
		Updates: benchUpdates(members[2:], s),
	}
	if _, err := Compact().Append(nil, benchRoom, p); err != nil {
		panic(err)
	}
	p.Updates = slices.DeleteFunc(p.Updates, func(u Update[ID]) bool { return !u.Sent })
	return p
}

var benchPopulations = []struct {
	name string
	of   func(int, *rand.Rand) []Member[ID]
}{
	{"lan", population},
	{"any", anyPopulation},
	{"lan6", population6},
}

// BenchmarkWire measures the default wire format: how much fits a packet, and
// how long that takes.
func BenchmarkWire(b *testing.B) {
	for _, pop := range benchPopulations {
		b.Run("pop="+pop.name+"/ping", func(b *testing.B) { benchPing(b, pop.of) })
		for _, s := range []State{Alive, Suspect, Down} {
			b.Run("pop="+pop.name+"/"+s.String()+"/append", func(b *testing.B) { benchAppend(b, benchPacket(pop.of, s, 1)) })
			b.Run("pop="+pop.name+"/"+s.String()+"/parse", func(b *testing.B) { benchParse(b, benchPacket(pop.of, s, 1)) })
		}
	}
}

func benchPing(b *testing.B, of func(int, *rand.Rand) []Member[ID]) {
	members := of(2, rand.New(rand.NewPCG(1, 1)))
	p := &Packet[ID]{Header: Header[ID]{
		Src: members[0].ID, Dst: members[1].ID, SrcIncarnation: 3, Message: MessagePing, Number: 1<<21 - 1,
	}}
	c := Compact()
	buf := make([]byte, 0, benchRoom)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = c.Append(buf[:0], benchRoom, p)
	}
	b.ReportMetric(float64(len(buf)), "B/ping")
}

func benchAppend(b *testing.B, p *Packet[ID]) {
	c := Compact()
	buf := make([]byte, 0, benchRoom)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = c.Append(buf[:0], benchRoom, p)
	}
	reportUpdates(b, p.Updates)
}

func benchParse(b *testing.B, p *Packet[ID]) {
	c := Compact()
	buf, err := c.Append(nil, benchRoom, p)
	if err != nil {
		b.Fatal(err)
	}
	var got Packet[ID]
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Parse(buf, &got); err != nil {
			b.Fatal(err)
		}
	}
	reportUpdates(b, p.Updates)
}

// reportUpdates reports how many updates a packet took, and the time for each
// of them.
func reportUpdates(b *testing.B, updates []Update[ID]) {
	sent := countSent(updates)
	b.ReportMetric(float64(sent), "updates/packet")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(sent), "ns/update")
}

func countSent(updates []Update[ID]) int {
	n := 0
	for _, u := range updates {
		if u.Sent {
			n++
		}
	}
	return n
}
