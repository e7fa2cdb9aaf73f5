package swim

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// write returns the payload that says the same.
func (s *saying) write(m Message) []byte {
	switch {
	case m == MessageSync:
		return appendCells(nil, s.key, s.from, s.cells, s.long)
	case s.head == diffFound:
		return appendSymbols(nil, s.symbols)
	case s.head == diffMore:
		return binary.AppendUvarint([]byte{diffMore}, uint64(s.from))
	default:
		return []byte{s.head}
	}
}

// same reports whether two payloads say the same.
func (s *saying) same(other *saying) bool {
	return s.head == other.head && s.long == other.long && s.from == other.from && s.key == other.key &&
		slices.Equal(s.cells, other.cells) && slices.Equal(s.symbols, other.symbols)
}

func drawCells(rnd *rand.Rand, n int) []cell {
	cells := make([]cell, n)
	for i := range cells {
		cells[i] = cell{rnd.Uint64(), rnd.Uint32(), int8(rnd.Uint32())}
	}
	return cells
}

// sayings are payloads of every kind, at the bounds and between them.
func sayings() map[*saying]Message {
	rnd := newRand(1)
	all := map[*saying]Message{
		{head: diffFound}:                                       MessageDiff,
		{head: diffFound, symbols: []uint64{0}}:                 MessageDiff,
		{head: diffFound, symbols: []uint64{math.MaxUint64, 1}}: MessageDiff,
		{head: diffFound, symbols: drawSymbols(rnd, 300)}:       MessageDiff,
		{head: diffList}:                                        MessageDiff,
		{cells: []cell{{math.MaxUint64, math.MaxUint32, math.MinInt8}}, key: sketchKey{math.MaxUint64, 1}}: MessageSync,
		{cells: make([]cell, 1)}:                                                                MessageSync,
		{cells: drawCells(rnd, mostCells), key: sketchKey{1, 2}}:                                MessageSync,
		{head: 1, long: true, cells: drawCells(rnd, mostCells)}:                                 MessageSync,
		{head: 1, long: true, from: mostCells - 1, cells: drawCells(rnd, 1)}:                    MessageSync,
		{head: 1, long: true, from: 127, cells: drawCells(rnd, 40), key: sketchKey{3, 1 << 63}}: MessageSync,
	}
	for _, from := range []int{0, 1, 127, 128, mostCells} {
		all[&saying{head: diffMore, from: from}] = MessageDiff
	}
	return all
}

// Rule 104: what a sync and a diff say beside their records survives the wire,
// and takes no more bytes than there is room reckoned for.
func TestSyncBodySurvivesTheWire(t *testing.T) {
	var got saying
	for s, m := range sayings() {
		body := s.write(m)
		if !got.parse(m, body) || !got.same(s) {
			t.Errorf("%v %x came as %+v, want %+v", m, body, got, *s)
		}
		most := maxDiffBody + symbolBytes*len(s.symbols)
		if s.head == diffMore {
			most = maxDiffBody + lenFrom
		}
		if m == MessageSync {
			most = maxSyncBody + cellBytes*len(s.cells)
		}
		if size := lenLength + len(body); size > most {
			t.Errorf("%v takes %d bytes, at most %d were reckoned with", m, size, most)
		}
	}
}

// checkBody checks that a payload is refused, or means what it says: it is
// written as the same bytes. It reports which.
func checkBody(t *testing.T, m Message, body []byte) bool {
	t.Helper()
	var s saying
	ok := s.parse(m, body)
	if len(s.cells) > len(body)/cellBytes+1 || len(s.symbols) > len(body)/symbolBytes+1 { // of one it found the beginning
		t.Fatalf("%v: %d cells and %d symbols in %d bytes", m, len(s.cells), len(s.symbols), len(body))
	}
	switch {
	case !ok:
	case m == MessageSync && (len(s.cells) == 0 || s.from+len(s.cells) > mostCells || s.from > 0 && !s.long):
		t.Fatalf("%d cells from %d on, long %v", len(s.cells), s.from, s.long)
	case m == MessageDiff && s.from > mostCells:
		t.Fatalf("more cells from %d on", s.from)
	case !bytes.Equal(s.write(m), body):
		t.Fatalf("%v: %x was read as %+v, which is written as %x", m, body, s, s.write(m))
	}
	return ok
}

// Rule 97: a payload that is cut, or longer than it says, is refused, or is one
// that says what is left of it.
func TestDamagedSyncBodyIsRefusedOrMeansWhatItSays(t *testing.T) {
	rnd := newRand(2)
	for s, m := range sayings() {
		body := s.write(m)
		for n := range len(body) {
			if n > 100 && n < len(body)-100 {
				continue
			}
			whole := m == MessageSync && n > len(body)-cellBytes*len(s.cells) && (len(body)-n)%cellBytes == 0 ||
				len(s.symbols) > 0 && (len(body)-n)%symbolBytes == 0
			if ok := checkBody(t, m, body[:n]); ok != whole {
				t.Errorf("%v %.40x cut to %d bytes: accepted %v", m, body, n, ok)
			}
		}
		for n := 1; n <= cellBytes+1; n++ {
			longer := append(slices.Clone(body), make([]byte, n)...)
			whole := m == MessageSync && n == cellBytes && s.from+len(s.cells) < mostCells || m == MessageDiff && s.head == diffFound && n == symbolBytes
			if ok := checkBody(t, m, longer); ok != whole {
				t.Errorf("%v %.40x with %d bytes more: accepted %v", m, body, n, ok)
			}
		}
		for range 100 {
			damaged := slices.Clone(body)
			damaged[rnd.IntN(min(20, len(damaged)))] ^= 1 << rnd.IntN(8)
			checkBody(t, m, damaged)
		}
	}
}

// Rule 97: what append never writes is refused.
func TestSyncBodyHasOneForm(t *testing.T) {
	one := make([]cell, 1)
	cells := func(head byte, from []byte, cells []cell) []byte {
		body := appendCells(nil, testSketchKey, 0, cells, false)
		return append(append([]byte{head}, from...), body[2:]...)
	}
	for _, test := range []struct {
		name string
		m    Message
		body []byte
		ok   bool
	}{
		{"a sync", MessageSync, cells(0, []byte{0}, one), true},
		{"a long one", MessageSync, cells(1, []byte{5}, one), true},
		{"nothing", MessageSync, nil, false},
		{"no cells", MessageSync, cells(0, []byte{0}, nil), false},
		{"another head", MessageSync, cells(2, []byte{0}, one), false},
		{"a first one from the middle", MessageSync, cells(0, []byte{5}, one), false},
		{"the last cell", MessageSync, cells(1, binary.AppendUvarint(nil, mostCells-1), one), true},
		{"one beyond the last", MessageSync, cells(1, binary.AppendUvarint(nil, mostCells), one), false},
		{"far beyond the last", MessageSync, cells(1, binary.AppendUvarint(nil, math.MaxUint64), one), false},
		{"two across the end", MessageSync, cells(1, binary.AppendUvarint(nil, mostCells-1), make([]cell, 2)), false},
		{"all cells", MessageSync, cells(0, []byte{0}, make([]cell, mostCells)), true},
		{"too many cells", MessageSync, cells(0, []byte{0}, make([]cell, mostCells+1)), false},
		{"a place that is longer than need be", MessageSync, cells(1, []byte{0x85, 0}, one), false},
		{"nothing of a diff", MessageDiff, nil, false},
		{"no difference", MessageDiff, []byte{diffFound}, true},
		{"half a symbol", MessageDiff, []byte{diffFound, 1, 2, 3, 4}, false},
		{"more cells from nowhere", MessageDiff, []byte{diffMore}, false},
		{"more cells from the end", MessageDiff, binary.AppendUvarint([]byte{diffMore}, mostCells), true},
		{"more cells from beyond the end", MessageDiff, binary.AppendUvarint([]byte{diffMore}, mostCells+1), false},
		{"more cells, and a byte", MessageDiff, []byte{diffMore, 0, 0}, false},
		{"a list", MessageDiff, []byte{diffList}, true},
		{"a list, and a byte", MessageDiff, []byte{diffList, 0}, false},
		{"another head of a diff", MessageDiff, []byte{3}, false},
	} {
		if ok := checkBody(t, test.m, test.body); ok != test.ok {
			t.Errorf("%s: accepted %v", test.name, ok)
		}
	}
}

// Rules 97 and 98: a packet of a reconciliation has one payload that is one, or
// nothing of it counts.
func TestSyncWithoutItsBodyIsMalformed(t *testing.T) {
	sync, diff := appendCells(nil, testSketchKey, 0, make([]cell, 1), false), []byte{diffFound}
	for _, m := range []Message{MessageSync, MessageDiff} {
		own, other := sync, []byte{3}
		if m == MessageDiff {
			own, other = diff, []byte{diffFound, 1}
		}
		for _, payloads := range [][][]byte{nil, {other}, {own, own}, {own, {1}}} {
			c := newTestCore(t, calm(), "a", "b")
			data := c.encode(&Packet[who]{Header: Header[who]{Message: m, Src: who{"x", 1}, Dst: c.us.id}, Payloads: payloads})
			c.know()
			c.wantDrop("malformed", DropMalformed, func() error { return c.HandleData(data, c.out) })
		}
	}
}

func FuzzSyncBody(f *testing.F) {
	for s, m := range sayings() {
		if body := s.write(m); len(body) < 1000 {
			f.Add(m == MessageSync, body)
		}
	}
	f.Fuzz(func(t *testing.T, sync bool, body []byte) {
		m := MessageDiff
		if sync {
			m = MessageSync
		}
		checkBody(t, m, body)
	})
}
