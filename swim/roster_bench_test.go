package swim

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
)

// testIDs returns n identities with different random addresses in 10.0.0.0/8,
// one port, and generations within 20 days.
func testIDs(n int, rnd *rand.Rand) []ID {
	const days = 20 * 24 * 3600 * 1000
	ids := make([]ID, n)
	// An odd factor permutes the 2^24 addresses.
	start, factor := rnd.Uint32(), rnd.Uint32()|1
	for i := range ids {
		host := (start + uint32(i)*factor) & (1<<24 - 1)
		ids[i] = ID{Addr{lo: mapped | 10<<24 | uint64(host), port: 7946}, 1_750_000_000_000 + rnd.Uint64N(days)}
	}
	rnd.Shuffle(n, func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	return ids
}

func benchmarkSizes(b *testing.B, run func(b *testing.B, n int), sizes ...int) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("N=%d", n), func(b *testing.B) { run(b, n) })
	}
}

func median[T int64 | float64](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

// BenchmarkFind compares finding, reading and writing a record with the same
// through a built-in map.
func BenchmarkFind(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, n int) {
		rnd := rand.New(rand.NewPCG(1, 2))
		ids := testIDs(n, rnd)
		r := newRoster[ID, Addr]()
		for _, id := range ids {
			r.insert(id)
		}
		type plain struct {
			id  ID
			inc uint64
			_   uint64
		}
		baseline := make(map[Addr]*plain)
		for _, id := range ids {
			baseline[id.addr] = &plain{id: id}
		}
		rnd.Shuffle(n, func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })

		// The two take turns, so that the noise of the machine meets both.
		const chunk = 10_000
		var ours, theirs []float64
		next := 0
		keys := func(visit func(id ID)) float64 {
			began := time.Now()
			for i := range chunk {
				visit(ids[(next+i)%n])
			}
			return float64(time.Since(began).Nanoseconds()) / chunk
		}
		for b.Loop() {
			ours = append(ours, keys(func(id ID) {
				if slot, ok := r.find(id.addr); ok {
					if rec := r.at(slot); rec.id.gen == id.gen {
						rec.inc++
					}
				}
			}))
			next = (next + chunk) % n
			theirs = append(theirs, keys(func(id ID) {
				if rec := baseline[id.addr]; rec.id.gen == id.gen {
					rec.inc++
				}
			}))
			next = (next + chunk) % n
		}
		mine, builtin := median(ours), median(theirs)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(mine, "ns/find")
		b.ReportMetric(mine/builtin, "x-map")
	}, 1_000, 10_000, 100_000, 1_000_000)
}

// BenchmarkRoster measures the memory of a member with index, order and a
// backlog of everybody, and the longest insertion of one.
func BenchmarkRoster(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, n int) {
		ids := testIDs(n, rand.New(rand.NewPCG(1, 2)))
		var perMember float64
		var longest []int64
		for b.Loop() {
			before := heapInUse()
			r := newRoster[ID, Addr]()
			var l backlog
			worst := time.Duration(0)
			for _, id := range ids {
				began := time.Now()
				slot := r.insert(id)
				r.enter(&r.active, slot, false)
				l.push(r, slot, prioAlive)
				worst = max(worst, time.Since(began))
			}
			longest = append(longest, int64(worst))
			perMember = float64(heapInUse()-before) / float64(n)
			runtime.KeepAlive(r)
			runtime.KeepAlive(&l)
		}
		b.ReportMetric(perMember, "B/member")
		b.ReportMetric(float64(median(longest))/1e6, "ms-longest")
	}, 1_000_000, 1_100_000)
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkBacklog gathers and settles three packets of 150 updates, with
// everybody queued.
func BenchmarkBacklog(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, n int) {
		rnd := rand.New(rand.NewPCG(1, 2))
		r := newRoster[ID, Addr]()
		var l backlog
		for _, id := range testIDs(n, rnd) {
			l.push(r, r.insert(id), prioAlive)
		}
		out := make([]uint32, 0, 450)
		b.ReportAllocs()
		for b.Loop() {
			out = l.gather(always(MaxTransmissions), 450, out, none)
			l.sent(r, out, func(i int) bool { return i < 440 })
			// What was told often enough is queued again.
			for _, slot := range out {
				if l.len() == n {
					break
				}
				l.push(r, slot, prioAlive)
			}
		}
	}, 1_000, 1_000_000)
}

// BenchmarkNext takes turns with everybody; BenchmarkSample draws three.
func BenchmarkNext(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, n int) {
		rnd := rand.New(rand.NewPCG(1, 2))
		r := ordered(n)
		for b.Loop() {
			r.next(&r.active, rnd)
		}
	}, 1_000, 1_000_000)
}

func BenchmarkSample(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, n int) {
		rnd := rand.New(rand.NewPCG(1, 2))
		r := ordered(n)
		var few, many []uint32
		for b.Loop() {
			few = r.sample(&r.active, 3, rnd, few, nil)
			many = r.sample(&r.active, 200, rnd, many, nil)
		}
	}, 1_000, 1_000_000)
}
