package swim

import (
	"encoding/binary"
	"fmt"
)

// What a sync and a diff carry besides a header and records is one payload:
//
//	sync := head u8 (0 first, 1 long) | from uvarint | key 16 bytes | cell+
//	cell := sum u64 | check u32 | count u8
//	diff := 0 | symbol u64 *          the records are those that the receiver lacks, the symbols of those that it should send
//	      | 1 | from uvarint          more cells, from that one on
//	      | 2                         there is too much: read my list
const (
	diffFound = 0
	diffMore  = 1
	diffList  = 2

	maxSyncBody = lenLength + 1 + lenFrom + 16 // besides the cells
	maxDiffBody = lenLength + 1                // besides the symbols
	lenFrom     = 2
)

// A saying is such a payload, read. Its slices are used again.
type saying struct {
	head    byte
	long    bool
	from    int
	key     sketchKey
	cells   []cell
	symbols []uint64
}

// parse reads the payload of a sync or diff. It reports false for what Append
// never writes.
func (s *saying) parse(m Message, body []byte) bool {
	r := wireReader{rest: body}
	*s = saying{cells: s.cells[:0], symbols: s.symbols[:0]}
	s.head = r.byte()
	switch {
	case m == MessageSync:
		s.long = s.head == 1
		s.from = int(r.uvarint(mostCells))
		s.key = sketchKey{r.word(), r.word()}
		for len(r.rest) > 0 && !r.failed {
			s.cells = append(s.cells, r.cell())
		}
		return !r.failed && s.head <= 1 && len(s.cells) > 0 && s.from+len(s.cells) <= mostCells && (s.long || s.from == 0)
	case s.head == diffFound:
		for len(r.rest) > 0 && !r.failed {
			s.symbols = append(s.symbols, r.word())
		}
	case s.head == diffMore:
		s.from = int(r.uvarint(mostCells))
	}
	return !r.failed && len(r.rest) == 0 && s.head <= diffList
}

// String says it in words.
func (s *saying) String() string {
	switch {
	case len(s.cells) > 0:
		return fmt.Sprintf("cells %d-%d", s.from, s.from+len(s.cells)-1)
	case s.head == diffMore:
		return fmt.Sprintf("wants cells from %d", s.from)
	case s.head == diffList:
		return "says: read my list"
	default:
		return fmt.Sprintf("wants %d records", len(s.symbols))
	}
}

func (r *wireReader) word() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *wireReader) cell() (c cell) {
	c.sum = r.word()
	if b := r.take(5); b != nil {
		c.check, c.count = binary.LittleEndian.Uint32(b), int8(b[4])
	}
	return c
}

func appendCells(b []byte, key sketchKey, from int, cells []cell, long bool) []byte {
	head := byte(0)
	if long {
		head = 1
	}
	b = binary.AppendUvarint(append(b, head), uint64(from))
	b = binary.LittleEndian.AppendUint64(b, key[0])
	b = binary.LittleEndian.AppendUint64(b, key[1])
	for _, c := range cells {
		b = binary.LittleEndian.AppendUint64(b, c.sum)
		b = binary.LittleEndian.AppendUint32(b, c.check)
		b = append(b, byte(c.count))
	}
	return b
}

func appendSymbols(b []byte, symbols []uint64) []byte {
	b = append(b, diffFound)
	for _, s := range symbols {
		b = binary.LittleEndian.AppendUint64(b, s)
	}
	return b
}
