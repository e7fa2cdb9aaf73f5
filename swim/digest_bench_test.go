package swim

import (
	"fmt"
	"testing"
)

// BenchmarkDigestChange measures what a change of one member costs the digest:
// that it is noted, and worked out when somebody asks.
func BenchmarkDigestChange(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("N=%d", n), func(b *testing.B) {
			x := newBench(b, n, &silence{})
			c := x.core
			c.digest()
			b.ReportAllocs()
			slot := uint32(0)
			for b.Loop() {
				c.roster.at(slot).meta++
				c.stir(slot)
				c.digest()
				if slot += 7; slot >= c.roster.slots {
					slot -= c.roster.slots
				}
			}
		})
	}
}

// BenchmarkSyncAnswer measures what one who is asked to compare does: a sketch of
// all whom it knows, and of what differs the records.
func BenchmarkSyncAnswer(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("N=%d", n), func(b *testing.B) {
			x := newBench(b, n, &silence{})
			c := x.core
			slot := c.roster.active.slots[0]
			peer := c.roster.at(slot)
			other := newBench(b, n, &silence{}).core
			for i := range 20 {
				other.roster.at(uint32(100+i)).meta++
			}
			key := sketchKey{1, 2}
			other.sketchInto(key, 80)
			body := appendCells(nil, key, 0, other.cells, false)
			packet, err := c.codec.Append(nil, 1400, &Packet[ID]{
				Header:   Header[ID]{Src: peer.id, SrcIncarnation: peer.inc, Dst: c.us.id, Message: MessageSync, Number: 1},
				Payloads: [][]byte{body},
			})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				c.sync.served = window{}
				if err := c.HandleData(packet, x.rt); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
