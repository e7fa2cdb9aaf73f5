package swim

import (
	"fmt"
	"testing"
)

func BenchmarkSketchSymbol(b *testing.B) {
	data := make([]byte, 30)
	b.ReportAllocs()
	for b.Loop() {
		data[0] = byte(testSketchKey.symbol(data))
	}
}

func BenchmarkSketchCheck(b *testing.B) {
	symbol := uint64(1)
	for b.Loop() {
		symbol = testSketchKey.check(symbol)
	}
}

func BenchmarkSketchAdd(b *testing.B) {
	for _, n := range []int{80, 1000} {
		b.Run(fmt.Sprintf("cells=%d", n), func(b *testing.B) {
			s, rnd := newSketch(n), newRand(1)
			b.ReportAllocs()
			for b.Loop() {
				s.add(rnd.Uint64())
			}
		})
	}
}

// What a member does for an exchange: all that it knows goes into one page.
func BenchmarkSketchBuild(b *testing.B) {
	symbols := drawSymbols(newRand(1), 10_000)
	s := newSketch(80)
	b.ReportAllocs()
	for b.Loop() {
		clear(s.cells)
		for _, symbol := range symbols {
			s.add(symbol)
		}
	}
}

func BenchmarkSketchPeel(b *testing.B) {
	const cells, d = 80, 45
	var p peeler
	s := newSketch(cells)
	for seed := uint64(0); !p.peel(s.key, s.cells) || len(p.ours) != d; seed++ {
		s = sketchOf(cells, drawSymbols(newRand(seed), d))
	}
	b.ReportAllocs()
	for b.Loop() {
		p.peel(s.key, s.cells)
	}
}
