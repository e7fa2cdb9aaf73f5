package swim

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// testSketchKey is the key of the vectors of SipHash: the bytes 0 to 15.
var testSketchKey = sketchKey{0x0706050403020100, 0x0f0e0d0c0b0a0908}

func newSketch(n int) *sketch {
	return &sketch{key: testSketchKey, cells: make([]cell, n)}
}

func sketchOf(n int, symbols []uint64) *sketch {
	s := newSketch(n)
	for _, symbol := range symbols {
		s.add(symbol)
	}
	return s
}

// differenceOf returns the sketch of what is in the one set and not in the other.
func differenceOf(n int, ours, theirs []uint64) *sketch {
	s := sketchOf(n, ours)
	subtract(s.cells, sketchOf(n, theirs).cells)
	return s
}

func drawSymbols(rnd *rand.Rand, n int) []uint64 {
	symbols := make([]uint64, n)
	for i := range symbols {
		symbols[i] = rnd.Uint64()
	}
	return symbols
}

func sameSymbols(a, b []uint64) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func TestSketchCellTakes16Bytes(t *testing.T) {
	if size := unsafe.Sizeof(cell{}); size != 16 && math.MaxInt > math.MaxInt8 {
		t.Errorf("a cell takes %d bytes", size)
	}
}

// The vectors that Aumasson and Bernstein publish: that of their paper, which
// is the one of 15 bytes, those before it, so that there is every number of
// bytes after the last word, and some longer ones.
func TestSymbolsAreSipHash24(t *testing.T) {
	vectors := []uint64{
		0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
		0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
		0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
		0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
	}
	data := make([]byte, 64)
	for i := range data {
		data[i] = byte(i)
	}
	for n, want := range vectors {
		if got := testSketchKey.symbol(data[:n]); got != want {
			t.Errorf("%d bytes: %#x, want %#x", n, got, want)
		}
	}
	for n, want := range map[int]uint64{61: 0x9f626da15c9625f3, 62: 0xe51b38608ef25f57, 63: 0x958a324ceb064572} {
		if got := testSketchKey.symbol(data[:n]); got != want {
			t.Errorf("%d bytes: %#x, want %#x", n, got, want)
		}
	}
}

func TestChecksDependOnKeyAndSymbol(t *testing.T) {
	seen := make(map[uint64]bool)
	for bit := range 64 {
		seen[testSketchKey.check(1<<bit)] = true
		seen[sketchKey{1 << bit, 0}.check(0)] = true
		seen[sketchKey{0, 1 << bit}.check(0)] = true
	}
	if len(seen) != 3*64 {
		t.Errorf("%d different checks of %d", len(seen), 3*64)
	}
	var word [8]byte
	if testSketchKey.check(0) == testSketchKey.symbol(word[:]) {
		t.Error("the check of a symbol is the symbol of a symbol")
	}
}

// TestNextCellIsTheOneOfTheLaw compares with the law itself, in numbers of any
// length: the first n whose (n+1)(n+2) exceeds (i+1)(i+2) times 2^64/r.
func TestNextCellIsTheOneOfTheLaw(t *testing.T) {
	product := func(factors ...uint64) *big.Int {
		p := big.NewInt(1)
		for _, f := range factors {
			p.Mul(p, new(big.Int).SetUint64(f))
		}
		return p
	}
	check := func(i, r uint64) {
		n := after(i, r)
		if n <= i {
			t.Fatalf("after(%d, %#x) is %d", i, r, n)
		}
		enough := product(i+1, i+2)
		enough.Lsh(enough, 64)
		switch {
		case n == math.MaxUint64:
			if product(1<<30, 1<<30+1, r).Cmp(enough) > 0 {
				t.Fatalf("after(%d, %#x) is nowhere", i, r)
			}
		case product(n+1, n+2, r).Cmp(enough) <= 0:
			t.Fatalf("after(%d, %#x) is %d, which is too low", i, r, n)
		case product(n, n+1, r).Cmp(enough) > 0:
			t.Fatalf("after(%d, %#x) is %d, which is too high", i, r, n)
		}
	}
	rnd := newRand(1)
	for range 5000 {
		i, r := rnd.Uint64()>>(33+rnd.IntN(31)), rnd.Uint64()>>rnd.IntN(64)
		check(i, r)
		// Where the product is met exactly, or nearly, a guess would show.
		m := i + 1 + rnd.Uint64N(1000)
		edge := product(i+1, i+2)
		edge.Div(edge.Lsh(edge, 64), product(m+1, m+2))
		for _, r := range []uint64{edge.Uint64() - 1, edge.Uint64(), edge.Uint64() + 1} {
			check(i, r)
		}
	}
	for _, i := range []uint64{0, 1, 2, 1<<16 - 1, 1 << 16, 1<<31 - 2, 1<<31 - 1} {
		for _, r := range []uint64{0, 1, 2, 3, 7, 8, 9, 1 << 32, 1<<62 - 1, 1 << 62, 1 << 63, math.MaxUint64 - 1, math.MaxUint64} {
			check(i, r)
		}
	}
}

// A symbol is in cell i with probability 2/(i+2).
func TestSymbolsAreInCellsAsOftenAsTheLawSays(t *testing.T) {
	const symbols, n = 20_000, 200
	in := make([]float64, n)
	for _, symbol := range drawSymbols(newRand(1), symbols) {
		for w := (walk{state: testSketchKey.check(symbol)}); w.at < n; w.step() {
			in[w.at]++
		}
	}
	if in[0] != symbols {
		t.Errorf("cell 0 has %v of %d symbols", in[0], symbols)
	}
	for i := 1; i < n; i++ {
		p := 2 / float64(i+2)
		want, sigma := symbols*p, math.Sqrt(symbols*p*(1-p))
		if got := in[i]; math.Abs(got-want) > 4*sigma {
			t.Errorf("cell %d has %v symbols, want %.0f±%.0f", i, got, want, sigma)
		}
	}
}

// All members must draw the same cells, whatever machine they run on. A second
// program, in numbers of any length and no floating point, said which.
func TestSketchesAreTheSameEverywhere(t *testing.T) {
	s := newSketch(3000)
	for i := range uint64(500) {
		s.add(s.key.symbol(binary.LittleEndian.AppendUint64(nil, i)))
	}
	h := fnv.New64a()
	for _, c := range s.cells {
		if err := binary.Write(h, binary.LittleEndian, c); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := h.Sum64(), uint64(0x395cc1510898716); got != want {
		t.Errorf("the sketch is %#x, want %#x", got, want)
	}
	var cells []uint64
	for w := (walk{state: s.key.check(0)}); w.at < 1<<20; w.step() {
		cells = append(cells, w.at)
	}
	if want := []uint64{
		0, 1, 2, 3, 13, 15, 21, 50, 129, 146, 300, 382, 1510, 13001, 14479, 14792, 34406, 66984, 106735, 110227, 122230,
		129106, 239686, 523098, 621883,
	}; !slices.Equal(cells, want) {
		t.Errorf("symbol 0 with check %#x is in cells %v, want %v", s.key.check(0), cells, want)
	}
}

func TestSketchIsLinear(t *testing.T) {
	rnd := newRand(1)
	common, ours, theirs := drawSymbols(rnd, 5000), drawSymbols(rnd, 20), drawSymbols(rnd, 30)
	a, b := slices.Concat(common, ours), slices.Concat(theirs, common)
	s := sketchOf(90, a)
	rnd.Shuffle(len(a), func(i, j int) { a[i], a[j] = a[j], a[i] })
	if !slices.Equal(s.cells, sketchOf(90, a).cells) {
		t.Error("the order of symbols changes cells")
	}
	if got, want := differenceOf(90, a, b), differenceOf(90, ours, theirs); !slices.Equal(got.cells, want.cells) {
		t.Error("what is common changes cells of the difference")
	}
	if got := differenceOf(90, a, a); !slices.Equal(got.cells, make([]cell, 90)) {
		t.Error("a set differs from itself")
	}
	if got := sketchOf(200, a).cells[:90]; !slices.Equal(got, s.cells) {
		t.Error("the beginning of a sketch depends on its end")
	}
}

func TestPeelFindsExactlyTheDifference(t *testing.T) {
	var p peeler
	rnd := newRand(1)
	for _, n := range []int{0, 1, 10, 1000, 20_000} {
		common := drawSymbols(rnd, n)
		for _, d := range []int{0, 1, 2, 7, 45, 200} {
			for _, k := range []int{0, d / 3, d} {
				ours, theirs := drawSymbols(rnd, k), drawSymbols(rnd, d-k)
				diff := differenceOf(3*d+20, slices.Concat(common, ours), slices.Concat(common, theirs))
				before := slices.Clone(diff.cells)
				if !p.peel(diff.key, diff.cells) || !sameSymbols(p.ours, ours) || !sameSymbols(p.theirs, theirs) {
					t.Errorf("%d symbols in common: found %d and %d differences, want %d and %d", n, len(p.ours), len(p.theirs), k, d-k)
				}
				if !slices.Equal(diff.cells, before) {
					t.Error("peel changed the cells")
				}
			}
		}
	}
}

// cellsNeeded returns how many cells suffice to find all differences. Those
// that do without more cells do with them, so that halving finds the fewest.
func cellsNeeded(p *peeler, diff *sketch) int {
	low, high := 0, len(diff.cells) // too few, and enough
	for low+1 < high {
		if n := (low + high) / 2; p.peel(diff.key, diff.cells[:n]) {
			high = n
		} else {
			low = n
		}
	}
	return high
}

func TestMoreCellsFindMore(t *testing.T) {
	var p peeler
	rnd := newRand(1)
	for range 100 {
		d := rnd.IntN(30)
		ours, theirs := drawSymbols(rnd, d), drawSymbols(rnd, rnd.IntN(30))
		diff := differenceOf(200, ours, theirs)
		enough, found := cellsNeeded(&p, diff), 0
		for n := range len(diff.cells) {
			if ok := p.peel(diff.key, diff.cells[:n]); ok != (n >= enough) {
				t.Fatalf("%d cells: %t, but %d are enough", n, ok, enough)
			}
			if now := len(p.ours) + len(p.theirs); now < found {
				t.Fatalf("%d cells: %d found, fewer than %d", n, now, found)
			} else {
				found = now
			}
			for _, symbol := range p.ours {
				if !slices.Contains(ours, symbol) {
					t.Fatalf("%d cells: found %#x, which is not ours", n, symbol)
				}
			}
			for _, symbol := range p.theirs {
				if !slices.Contains(theirs, symbol) {
					t.Fatalf("%d cells: found %#x, which is not theirs", n, symbol)
				}
			}
		}
	}
}

// The paper has 1.35 cells a difference for very many, and up to 1.72 for few.
// Linearity, checked above, is why symbols in common need not be here.
func TestFewCellsSuffice(t *testing.T) {
	var p peeler
	for _, test := range []struct {
		d, draws int
		mean     float64
	}{
		{1, 100, 1}, {2, 4000, 3.2}, {5, 3000, 8.8}, {10, 2000, 17.4}, {20, 800, 33}, {50, 300, 76}, {100, 150, 146},
		{300, 100, 423}, {1000, 50, 1378},
	} {
		if test.d > 100 && testing.Short() {
			break
		}
		t.Run(fmt.Sprintf("d=%d", test.d), func(t *testing.T) {
			rnd, sum := newRand(1), 0
			for range test.draws {
				ours := rnd.IntN(test.d + 1)
				diff := differenceOf(4*test.d+100, drawSymbols(rnd, ours), drawSymbols(rnd, test.d-ours))
				sum += cellsNeeded(&p, diff)
			}
			mean := float64(sum) / float64(test.draws)
			t.Logf("%.2f cells", mean)
			if mean > 1.05*test.mean {
				t.Errorf("%.2f cells on average, want %.1f", mean, test.mean)
			}
		})
	}
}

func TestNoCellsTellNothing(t *testing.T) {
	var p peeler
	if p.peel(testSketchKey, nil) {
		t.Error("peel of no cells knows that there is no difference")
	}
	if !p.peel(testSketchKey, make([]cell, 1)) {
		t.Error("peel of an empty cell does not know that there is no difference")
	}
}

func TestPeelRefusesWhatIsNoDifference(t *testing.T) {
	var p peeler
	const n = 50
	symbol := drawSymbols(newRand(1), 1)[0]
	honest := sketchOf(n, []uint64{symbol})
	alone := cell{symbol, uint32(honest.key.check(symbol)), 1}
	in := func(i int) bool { return honest.cells[i].count == 1 }
	for name, spoil := range map[string]func(cells []cell){
		"one cell lacks the symbol": func(cells []cell) {
			cells[0] = cell{}
		},
		"a cell too many has the symbol": func(cells []cell) {
			cells[slices.IndexFunc(cells, func(c cell) bool { return c.count == 0 })] = alone
		},
		"the symbol is ours and theirs": func(cells []cell) {
			cells[0].count = -1
		},
		"only a cell where it does not belong": func(cells []cell) {
			for i := range cells {
				if in(i) {
					cells[i] = cell{}
				} else {
					cells[i] = alone
				}
			}
		},
		"twice": func(cells []cell) {
			for i := range cells {
				cells[i].put(cells[i].sum, uint64(cells[i].check), cells[i].count)
			}
		},
		"another check": func(cells []cell) {
			for i := range cells {
				if in(i) {
					cells[i].check++
				}
			}
		},
	} {
		cells := slices.Clone(honest.cells)
		if spoil(cells); p.peel(honest.key, cells) {
			t.Errorf("%s: taken for a difference of %v and %v", name, p.ours, p.theirs)
		}
	}
	if !p.peel(honest.key, honest.cells) {
		t.Error("the honest cells are refused")
	}
}

func TestPeelEndsWhateverTheCells(t *testing.T) {
	var p peeler
	rnd := newRand(1)
	alone := func(symbol uint64, count int8) cell {
		return cell{symbol, uint32(testSketchKey.check(symbol)), count}
	}
	for name, fill := range map[string]func(i int) cell{
		"random":              func(int) cell { return cell{rnd.Uint64(), rnd.Uint32(), int8(rnd.Uint32())} },
		"random, count 1":     func(int) cell { return cell{rnd.Uint64(), rnd.Uint32(), 1} },
		"all bits":            func(int) cell { return cell{math.MaxUint64, math.MaxUint32, -1} },
		"most of all":         func(int) cell { return alone(1, math.MaxInt8) },
		"least of all":        func(int) cell { return alone(1, math.MinInt8) },
		"one symbol":          func(int) cell { return alone(1, 1) },
		"one symbol, by turn": func(i int) cell { return alone(1, int8(i%2*2-1)) },
		"each its own":        func(i int) cell { return alone(uint64(i), 1) },
		"few symbols":         func(int) cell { return alone(rnd.Uint64N(5), int8(rnd.IntN(3)-1)) },
	} {
		for _, n := range []int{1, 2, 80, 3000} {
			cells := make([]cell, n)
			for i := range cells {
				cells[i] = fill(i)
			}
			p.peel(testSketchKey, cells)
			if found := len(p.ours) + len(p.theirs); found > n {
				t.Errorf("%s: found %d symbols in %d cells", name, found, n)
			}
		}
	}
}

func TestSketchDoesNotAllocate(t *testing.T) {
	var p peeler
	symbols := drawSymbols(newRand(1), 45)
	s, empty := newSketch(100), newSketch(100)
	data := make([]byte, 30)
	if n := testing.AllocsPerRun(100, func() {
		clear(s.cells)
		data[0]++
		s.add(s.key.symbol(data))
		for _, symbol := range symbols {
			s.add(symbol)
		}
		subtract(s.cells, empty.cells)
		p.peel(s.key, s.cells)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A fuzzSketch makes cells of a text, four bytes a step: what to do, where, and
// with which of few symbols, so that there are cells that only nearly fit.
func fuzzSketch(text []byte) *sketch {
	s := newSketch(0)
	if len(text) == 0 {
		return s
	}
	s.cells = make([]cell, text[0])
	for step := range slices.Chunk(text[1:], 4) {
		if len(step) < 4 || len(s.cells) == 0 {
			break
		}
		c, symbol := &s.cells[int(step[1])%len(s.cells)], uint64(step[2])
		switch step[0] % 6 {
		case 0:
			s.add(symbol)
		case 1:
			theirs := newSketch(len(s.cells))
			theirs.add(symbol)
			subtract(s.cells, theirs.cells)
		case 2:
			c.put(symbol, s.key.check(symbol), int8(step[3]))
		case 3:
			c.sum ^= symbol << (step[3] % 64)
		case 4:
			c.check ^= uint32(symbol) << (step[3] % 32)
		case 5:
			c.count += int8(symbol) << (step[3] % 8)
		}
	}
	return s
}

func FuzzPeel(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{80})
	f.Add([]byte{20, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0, 3, 0})              // two symbols against one
	f.Add([]byte{20, 0, 0, 1, 0, 2, 0, 1, 255})                        // one lacks in cell 0
	f.Add([]byte{9, 2, 3, 1, 1, 2, 4, 1, 255, 5, 0, 1, 31})            // in few cells
	f.Add([]byte{3, 3, 0, 255, 0, 4, 1, 255, 56, 5, 2, 1, 31})         // garbage
	f.Add([]byte{5, 2, 0, 1, 1, 2, 1, 1, 1, 2, 2, 1, 255, 2, 3, 1, 1}) // one symbol everywhere
	f.Fuzz(func(t *testing.T, text []byte) {
		var p peeler
		s := fuzzSketch(text)
		before := slices.Clone(s.cells)
		ok := p.peel(s.key, s.cells)
		if !slices.Equal(s.cells, before) {
			t.Fatal("peel changed the cells")
		}
		all := slices.Sorted(slices.Values(slices.Concat(p.ours, p.theirs)))
		if len(all) > len(s.cells) || len(slices.Compact(all)) != len(p.ours)+len(p.theirs) {
			t.Fatalf("found %x and %x in %d cells", p.ours, p.theirs, len(s.cells))
		}
		if again := differenceOf(len(s.cells), p.ours, p.theirs); ok && !slices.Equal(again.cells, s.cells) {
			t.Fatalf("these are not the cells of %x and %x", p.ours, p.theirs)
		}
	})
}
