package swim

import (
	"math/rand/v2"
	"net/netip"
	"slices"
)

// populationNow is the generation of a member that starts now: in the middle
// of 2026.
const populationNow = 1_782_864_000_000

const day = 24 * 60 * 60 * 1000

// population returns n members as a large site has them, in random order:
// distinct random addresses in 10.0.0.0/8, one port, started within the last
// 20 days, at incarnations 0 to 3.
func population(n int, rnd *rand.Rand) []Member[ID] {
	seen := make(map[uint32]bool, n)
	return populate(n, rnd, func() ID {
		ip := uint32(10)<<24 | rnd.Uint32N(1<<24)
		for seen[ip] {
			ip = uint32(10)<<24 | rnd.Uint32N(1<<24)
		}
		seen[ip] = true
		return testID4(ip, 7946, populationNow-rnd.Uint64N(20*day))
	})
}

// anyPopulation returns n members of distinct addresses at any IPv4 address
// and port, started within the last 6 years.
func anyPopulation(n int, rnd *rand.Rand) []Member[ID] {
	seen := make(map[uint32]bool, n)
	return populate(n, rnd, func() ID {
		ip := uint32(0)
		for ip == 0 || seen[ip] {
			ip = rnd.Uint32N(224 << 24)
		}
		seen[ip] = true
		return testID4(ip, uint16(1+rnd.UintN(65535)), populationNow-rnd.Uint64N(6*365*day))
	})
}

func populate(n int, rnd *rand.Rand, next func() ID) []Member[ID] {
	members := make([]Member[ID], n)
	for i := range members {
		members[i] = Member[ID]{ID: next(), Incarnation: Incarnation(rnd.UintN(4))}
	}
	return slices.Clip(members)
}

func testID4(ip uint32, port uint16, gen uint64) ID {
	octets := [4]byte{byte(ip >> 24), byte(ip >> 16), byte(ip >> 8), byte(ip)}
	id, err := NewID(netip.AddrPortFrom(netip.AddrFrom4(octets), port), gen)
	if err != nil {
		panic(err)
	}
	return id
}

// mustID returns the identity of an address in text form.
func mustID(at string, gen uint64) ID {
	id, err := NewID(netip.MustParseAddrPort(at), gen)
	if err != nil {
		panic(err)
	}
	return id
}
