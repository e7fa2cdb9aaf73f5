package sealed

// A recent is what is left of the packets that were sealed last, in case one
// of them has to be sealed again: a ring of bytes, in which a new packet takes
// the place of the oldest ones.
type recent[A comparable] struct {
	bytes   []byte
	end     int // where the next packet begins
	entries []sent[A]
	first   int // the oldest of entries, which is a ring too
	count   int
}

// A sent is one of them.
type sent[A comparable] struct {
	to      Party[A]
	counter uint64
	channel uint8
	start   int
	size    int
}

// end is where the next one begins. An empty one takes up a byte as well, or it
// would lie in no part of the ring.
func (s *sent[A]) end() int { return s.start + max(s.size, 1) }

const (
	recentBytes   = 8 << 10
	recentPackets = 32
)

// add keeps a packet, unless it is larger than all there is room for.
func (r *recent[A]) add(to Party[A], channel uint8, counter uint64, payload []byte) {
	if len(payload) > recentBytes {
		return
	}
	if r.bytes == nil {
		r.bytes, r.entries = make([]byte, recentBytes), make([]sent[A], recentPackets)
	}
	s := sent[A]{to, counter, channel, r.end, len(payload)}
	if s.end() > recentBytes {
		r.forget(s.start, recentBytes)
		s.start = 0
	}
	r.forget(s.start, s.end())
	if r.count == recentPackets {
		r.drop()
	}
	copy(r.bytes[s.start:], payload)
	r.entries[(r.first+r.count)%recentPackets] = s
	r.count++
	r.end = s.end()
}

// forget drops the packets that lie in a part of the ring. They are the oldest.
func (r *recent[A]) forget(start, end int) {
	for r.count > 0 {
		e := &r.entries[r.first]
		if e.end() <= start || e.start >= end {
			return
		}
		r.drop()
	}
}

func (r *recent[A]) drop() {
	r.first = (r.first + 1) % recentPackets
	r.count--
}

// take returns a packet, once. Its bytes are valid until the next add.
func (r *recent[A]) take(counter uint64) (s sent[A], payload []byte, ok bool) {
	for i := range r.count {
		e := &r.entries[(r.first+i)%recentPackets]
		if e.counter == counter && e.channel != taken {
			s, payload = *e, r.bytes[e.start:e.start+e.size]
			e.channel = taken
			return s, payload, true
		}
	}
	return s, nil, false
}

// taken is the channel of a packet that was taken. It is not a channel.
const taken = 0xff
