package bench

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/selkie-go/selkie/swim"
)

// packetSize is the most bytes that a packet of either side may take.
const packetSize = 1400

// population returns the identities of n members: addresses random in
// 10.0.0.0/8, one port, started within twenty days, in random order. The same
// n gives the same members.
func population(tb testing.TB, n int) []swim.ID {
	tb.Helper()
	const (
		port    = 7946
		newest  = 1_767_225_600_000 // 2026-01-01 in milliseconds
		twenty  = 20 * 24 * 3600 * 1000
		network = 10 << 24
	)
	rnd := rand.New(rand.NewPCG(uint64(n), 0))
	taken := make(map[uint32]bool, n)
	members := make([]swim.ID, 0, n)
	for len(members) < n {
		ip := network | rnd.Uint32N(1<<24)
		if taken[ip] {
			continue
		}
		taken[ip] = true
		var octets [4]byte
		binary.BigEndian.PutUint32(octets[:], ip)
		at := netip.AddrPortFrom(netip.AddrFrom4(octets), port)
		id, err := swim.NewID(at, newest-rnd.Uint64N(twenty))
		if err != nil {
			tb.Fatal(err)
		}
		members = append(members, id)
	}
	return members
}

// A packet is bytes for one side, and how many updates they hold.
type packet struct {
	data    []byte
	updates int
}

// measure hands packets of fresh news to a side, and makes new ones when all
// have been handled, which does not count.
func measure(b *testing.B, news func() []packet, handle func(packet)) {
	var waiting []packet
	updates := 0
	b.ReportAllocs()
	for b.Loop() {
		if len(waiting) == 0 {
			b.StopTimer()
			waiting = news()
			b.StartTimer()
		}
		handle(waiting[0])
		updates += waiting[0].updates
		waiting = waiting[1:]
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(updates), "ns/update")
	b.ReportMetric(float64(updates)/float64(b.N), "updates/packet")
}
