package sim

import "github.com/selkie-go/selkie/swim"

// A happening is something that will happen to one node or to the world.
type happening struct {
	at    swim.Instant
	cause uint64 // the step that brought it about

	kind happeningKind
	node *Node
	from *Node // of a packet
	// cluster is the one that a packet says it is of.
	cluster int
	epoch   uint32         // of the process that it is for
	timer   swim.Timer[ID] // of a timer event
	due     swim.Instant   // of a timer event: when, by the clock of the node
	data    []byte         // of a packet
	edges   uint8          // of a packet: how many others it follows from
	letter  *letter        // of a packet: what was sealed, if it was
	damaged bool           // of a packet that is sealed: it was changed on its way
	do      func()         // of a plan
}

// flight returns the packet that arrives.
func (h *happening) flight() flight {
	return flight{from: h.from, to: h.node, cluster: h.cluster, cause: h.cause, data: h.data, edges: h.edges, letter: h.letter, damaged: h.damaged}
}

// A happeningKind says what a happening is.
type happeningKind uint8

const (
	arrival happeningKind = iota // a packet reaches a node
	timing                       // a timer event of a node is due
	waking                       // a node that was busy goes on
	planned                      // somebody wanted something done at this moment
)

// A queue is what will happen, ordered: a heap of four ways over small
// entries. The happenings themselves stay where they are, and their memory is
// used again.
type queue struct {
	heap  []entry
	table []*happening
	free  []uint32
	count uint64 // happenings so far
}

type entry struct {
	at    swim.Instant
	order uint64 // among those of one instant: rank, then number
	ref   uint32
}

func (a entry) before(b entry) bool {
	return a.at < b.at || a.at == b.at && a.order < b.order
}

// rankBits leaves the rest of the order for the number of a happening.
const rankBits = 8

// add enters a happening. Of those at one instant the lower rank comes first,
// then the earlier entered.
func (q *queue) add(h happening, rank uint8) {
	q.count++
	if len(q.free) == 0 {
		q.grow()
	}
	ref := q.free[len(q.free)-1]
	q.free = q.free[:len(q.free)-1]
	*q.table[ref] = h
	q.heap = append(q.heap, entry{h.at, uint64(rank)<<(64-rankBits) | q.count, ref})
	q.up(len(q.heap) - 1)
}

// grow makes room for more happenings.
func (q *queue) grow() {
	more := make([]happening, 64)
	for i := range more {
		q.free = append(q.free, uint32(len(q.table)))
		q.table = append(q.table, &more[i])
	}
}

// next returns when something happens next.
func (q *queue) next() (swim.Instant, bool) {
	if len(q.heap) == 0 {
		return 0, false
	}
	return q.heap[0].at, true
}

// take removes what happens next, which there must be. Whoever took it hands its
// memory back by done.
func (q *queue) take() (h *happening, ref uint32) {
	ref = q.heap[0].ref
	last := len(q.heap) - 1
	q.heap[0] = q.heap[last]
	q.heap = q.heap[:last]
	if last > 1 {
		q.down(0)
	}
	return q.table[ref], ref
}

// done takes back the memory of what has happened.
func (q *queue) done(ref uint32) {
	*q.table[ref] = happening{} // what is counted in the table is what will happen
	q.free = append(q.free, ref)
}

func (q *queue) up(i int) {
	e := q.heap[i]
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(q.heap[parent]) {
			break
		}
		q.heap[i] = q.heap[parent]
		i = parent
	}
	q.heap[i] = e
}

func (q *queue) down(i int) {
	e := q.heap[i]
	for {
		first := 4*i + 1
		if first >= len(q.heap) {
			break
		}
		least := first
		for child := first + 1; child < min(first+4, len(q.heap)); child++ {
			if q.heap[child].before(q.heap[least]) {
				least = child
			}
		}
		if !q.heap[least].before(e) {
			break
		}
		q.heap[i] = q.heap[least]
		i = least
	}
	q.heap[i] = e
}
