package sim

import (
	"slices"

	"github.com/selkie-go/selkie/swim"
)

// A Recorder keeps what happens in a run, so that it can be explained
// afterwards: hand its Trace to the run. The zero value is ready.
type Recorder struct {
	// Most is how many events to keep; of more, the oldest are left out. If
	// zero, 4 million, which take 300 MB or so. It counts in thousands.
	Most int

	chunks []*chunk
	left   int // events left out
}

// chunkSize is how many events a chunk of a record holds.
const chunkSize = 1024

// A chunk is some events in a row. Each kind of event keeps what only it has in
// a table of its own, and each packet is kept once, though it is sent and
// received.
type chunk struct {
	lines   []recorded
	bytes   []byte
	packets map[uint64]span
	spans   []span
	timers  []swim.Timer[ID]
	notes   []swim.Notification[ID]
	changes []Change
	texts   [][2]string
}

// A span is where a packet lies among the bytes of a chunk.
type span struct{ from, to uint32 }

// recorded is what all events have.
type recorded struct {
	at          swim.Instant
	step, cause uint64
	node, peer  uint32
	ref         uint32 // in the table of its kind, plus one
	text        uint32 // among texts, plus one
	kind        EventKind
}

// Trace keeps an event.
func (r *Recorder) Trace(e Event) {
	if n := len(r.chunks); n == 0 || len(r.chunks[n-1].lines) == chunkSize {
		r.chunks = append(r.chunks, &chunk{packets: map[uint64]span{}})
		most := r.Most
		if most == 0 {
			most = 4_000_000
		}
		if len(r.chunks) > max(most/chunkSize, 1)+1 {
			r.left += len(r.chunks[0].lines)
			r.chunks = slices.Delete(r.chunks, 0, 1)
		}
	}
	r.chunks[len(r.chunks)-1].add(&e)
}

// Len returns how many events are kept.
func (r *Recorder) Len() int {
	if len(r.chunks) == 0 {
		return 0
	}
	return (len(r.chunks)-1)*chunkSize + len(r.chunks[len(r.chunks)-1].lines)
}

// Left returns how many events were left out, all before those that are kept.
func (r *Recorder) Left() int { return r.left }

// Event returns one of the events that are kept, by its number from 0 to Len-1.
// Its data must not be changed.
func (r *Recorder) Event(number int) Event {
	return r.chunks[number/chunkSize].event(number % chunkSize)
}

// line returns what all events have, of one.
func (r *Recorder) line(number int) *recorded {
	return &r.chunks[number/chunkSize].lines[number%chunkSize]
}

func (c *chunk) add(e *Event) {
	line := recorded{at: e.At, step: e.Step, cause: e.Cause, node: e.Node, peer: e.Peer, kind: e.Kind}
	switch {
	case e.Kind.packet():
		c.spans = append(c.spans, c.packet(e.Data))
		line.ref = uint32(len(c.spans))
	case e.Kind == EventTimer:
		c.timers = append(c.timers, e.Timer)
		line.ref = uint32(len(c.timers))
	case e.Kind == EventNotify:
		c.notes = append(c.notes, e.Note)
		line.ref = uint32(len(c.notes))
	case e.Kind == EventChange:
		e.Change.Before.By = slices.Clone(e.Change.Before.By)
		e.Change.After.By = slices.Clone(e.Change.After.By)
		c.changes = append(c.changes, e.Change)
		line.ref = uint32(len(c.changes))
	}
	if text := [2]string{e.Text, e.By}; text != [2]string{} {
		c.texts = append(c.texts, text)
		line.text = uint32(len(c.texts))
	}
	c.lines = append(c.lines, line)
}

// packet keeps a packet, if it is not kept already.
func (c *chunk) packet(data []byte) span {
	key := digest(data)
	if s, kept := c.packets[key]; kept {
		return s
	}
	from := uint32(len(c.bytes))
	c.bytes = append(c.bytes, data...)
	s := span{from, uint32(len(c.bytes))}
	c.packets[key] = s
	return s
}

func (c *chunk) event(number int) Event {
	l := &c.lines[number]
	e := Event{At: l.at, Step: l.step, Cause: l.cause, Node: l.node, Peer: l.peer, Kind: l.kind}
	switch {
	case e.Kind.packet():
		s := c.spans[l.ref-1]
		e.Data = c.bytes[s.from:s.to:s.to]
	case e.Kind == EventTimer:
		e.Timer = c.timers[l.ref-1]
	case e.Kind == EventNotify:
		e.Note = c.notes[l.ref-1]
	case e.Kind == EventChange:
		e.Change = c.changes[l.ref-1]
	}
	if l.text > 0 {
		e.Text, e.By = c.texts[l.text-1][0], c.texts[l.text-1][1]
	}
	return e
}
