package swim

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
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

// population6 returns n members of distinct addresses in one IPv6 network of 64
// bits, one port, started within the last 20 days.
func population6(n int, rnd *rand.Rand) []Member[ID] {
	network := netip.MustParseAddr("2001:db8:7:9::").As16()
	seen := make(map[uint64]bool, n)
	return populate(n, rnd, func() ID {
		host := uint64(0)
		for host == 0 || seen[host] {
			host = rnd.Uint64()
		}
		seen[host] = true
		binary.BigEndian.PutUint64(network[8:], host)
		id, err := NewID(netip.AddrPortFrom(netip.AddrFrom16(network), 7946), populationNow-rnd.Uint64N(20*day))
		if err != nil {
			panic(err)
		}
		return id
	})
}

func populate(n int, rnd *rand.Rand, next func() ID) []Member[ID] {
	members := make([]Member[ID], n)
	for i := range members {
		members[i] = Member[ID]{ID: next(), Incarnation: Incarnation(rnd.UintN(4))}
	}
	return members
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
