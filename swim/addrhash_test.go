package swim

import (
	"hash/maphash"
	"testing"
)

// Addresses of one site differ little. In a table with room for twice as many
// they must spread as if thrown at random, which leaves 39 % of the used
// places shared: 65,536 balls into 131,072 bins hit 51,573.
func TestAddressesThatDifferLittleSpread(t *testing.T) {
	const n, bins, want = 1 << 16, 1 << 17, 51573
	for name, nth := range map[string]func(i uint64) Addr{
		"hosts of a network": func(i uint64) Addr { return Addr{lo: mapped | 10<<24 | i, port: 7946} },
		"every 256th host":   func(i uint64) Addr { return Addr{lo: mapped | 10<<24 | i<<8, port: 7946} },
		"ports of a host":    func(i uint64) Addr { return Addr{lo: mapped | 127<<24 | 1, port: uint32(i)} },
		"hosts of a /64":     func(i uint64) Addr { return Addr{hi: 0x20010db8 << 32, lo: i, port: 7946} },
		"networks of a /48":  func(i uint64) Addr { return Addr{hi: 0x20010db8<<32 | i, lo: 1, port: 7946} },
		"zones of an address": func(i uint64) Addr {
			return Addr{hi: 0xfe80 << 48, lo: 1, port: 7946, zone: uint32(i)}
		},
	} {
		for range 20 { // some keys are worse than others
			hash, hit, used := newHash[Addr](), make([]bool, bins), 0
			for i := range uint64(n) {
				if place := hash(nth(i)) % bins; !hit[place] {
					hit[place] = true
					used++
				}
			}
			if used < want*98/100 {
				t.Errorf("%s: %d places are used, want about %d", name, used, want)
			}
		}
	}
}

func TestHashesDifferFromRosterToRoster(t *testing.T) {
	at := Addr{lo: mapped | 10<<24 | 1, port: 7946}
	seen := make(map[uint32]bool)
	for range 64 {
		seen[newHash[Addr]()(at)] = true
	}
	if len(seen) < 60 {
		t.Errorf("64 seeds give %d hashes", len(seen))
	}
}

// BenchmarkAddrHash shows what a hash of our own is worth.
func BenchmarkAddrHash(b *testing.B) {
	seed := maphash.MakeSeed()
	own := newAddrHash(seed)
	general := func(at Addr) uint32 { return uint32(maphash.Comparable(seed, at)) }
	for name, hash := range map[string]func(Addr) uint32{"own": own, "general": general} {
		b.Run(name, func(b *testing.B) {
			sum, at := uint32(0), Addr{lo: mapped | 10<<24, port: 7946}
			for b.Loop() {
				at.lo++
				sum += hash(at)
			}
			if sum == 0 {
				b.Log("the sum is 0")
			}
		})
	}
}
