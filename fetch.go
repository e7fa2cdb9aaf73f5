package selkie

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// Descriptions are announced by their version, which travels with everything
// that names a member, and are asked for by those who lack one: few of the
// members themselves, many at once of somebody who has been here for long. Two
// letters do it:
//
//	ask:  (identity | version uvarint) …              at least this version
//	tell: (identity | version uvarint | length uvarint, 1 more than it is | description) …
//
// where the length 0 says that it does not fit into a datagram: it is asked for
// again over a stream.

// A want is a description that we lack.
type want struct {
	id      ID
	version uint64
	due     swim.Instant // when to ask
	tries   int
}

const (
	// Who hears of a new version waits this long, and up to as much again, in
	// case it is on its way already, and so that not everybody asks at once.
	wantDelay = 150 * time.Millisecond
	wantAgain = 300 * time.Millisecond // after the first try; longer after each
	wantMost  = 30 * time.Second
	// fewWanted is up to how many are asked for themselves at once, and someWanted
	// with the second try: where all have just joined, nobody has much to tell.
	fewWanted, someWanted = 8, 64
	// Those that are nearly due are asked for together with those that are.
	askTogether = 60 * time.Millisecond
	// maxAsks is how many letters ask at one time; the rest waits for askRest.
	maxAsks = 16
	askRest = 20 * time.Millisecond
	// maxTells is how many letters answer one that asks.
	maxTells = 8
	// maxFetches is how many streams may fetch descriptions at once.
	maxFetches = 4
)

// seek notes whether the description of a member is to be asked for.
func (n *Node) seek(d *draft, m swim.Member[ID]) {
	at := m.ID.Addr()
	known, ok := d.find(at)
	if !ok || !m.Active() || m.Metadata <= known.version() {
		delete(n.wants, at)
		return
	}
	if w := n.wants[at]; w == nil || w.id != m.ID || w.version < m.Metadata {
		due := n.clock().Add(wantDelay + rand.N(wantDelay))
		n.wants[at] = &want{id: m.ID, version: m.Metadata, due: due}
		n.askBy(due)
	}
}

// version is that of the description that we have; 0 if none.
func (m Member) version() uint64 {
	if m.described == nil {
		return 0
	}
	return m.described.version
}

// askBy makes run ask no later than at that time.
func (n *Node) askBy(due swim.Instant) {
	if n.askAt == 0 || due < n.askAt {
		n.askAt = due
	}
}

// askWanted asks for the descriptions whose time has come. It runs in run.
func (n *Node) askWanted() {
	now := n.clock()
	if n.askAt == 0 || n.askAt > now {
		return
	}
	n.askAt = 0
	v := n.events.view()
	few := len(n.wants) <= fewWanted
	room := n.letterRoom()
	var bulk, entry []byte
	asks := 0
	for at, w := range n.wants {
		if w.due > now.Add(askTogether) {
			n.askBy(w.due)
			continue
		}
		m, ok := v.find(at)
		if !ok || !m.State.Active() || m.Self {
			delete(n.wants, at)
			continue
		}
		if asks >= maxAsks {
			n.askBy(now.Add(askRest))
			continue
		}
		w.tries++
		w.due = now.Add(min(wantAgain*time.Duration(w.tries)+rand.N(wantDelay), wantMost))
		n.askBy(w.due)
		entry = appendWanted(entry[:0], m.ID, m.version()+1)
		if few || w.tries%3 == 0 || w.tries == 2 && len(n.wants) <= someWanted {
			n.inquire(m.ID, entry)
			asks++
			continue
		}
		if len(bulk)+len(entry) > room {
			n.askElder(v, bulk)
			bulk = bulk[:0]
			asks++
		}
		bulk = append(bulk, entry...)
	}
	if len(bulk) > 0 {
		n.askElder(v, bulk)
	}
}

// askElder asks somebody for many descriptions.
func (n *Node) askElder(v *view, body []byte) {
	if m, ok := v.elder(); ok {
		n.inquire(m.ID, body)
	}
}

// elder returns somebody who knows much: of a few members, drawn at random so that
// not all ask the same, the one whose life began first.
func (v *view) elder() (elder Member, ok bool) {
	for range 8 {
		page := v.pages[rand.IntN(len(v.pages))]
		m := page[rand.IntN(len(page))]
		if isPeer(m) && (!ok || m.ID.Generation() < elder.ID.Generation()) {
			elder, ok = m, true
		}
	}
	return elder, ok
}

// wanted returns whom of a question we can describe, each once, until the
// descriptions add up to so many bytes: who asks for more asks again.
func (n *Node) wanted(question []byte, most int) ([]Member, error) {
	if !n.questions.take(n.clock()) {
		return nil, errTooMany
	}
	v := n.events.view()
	seen := make(map[ID]bool)
	var members []Member
	for rest := question; len(rest) > 0 && rest[0] != 0 && most > 0; { // zeros are padding
		id, version, tail, ok := readWanted(rest)
		if !ok {
			return nil, errLetter
		}
		rest = tail
		m, ok := v.find(id.Addr())
		if m.Self {
			m.described = n.described
		}
		if !ok || m.ID != id || m.described == nil || m.version() < version || seen[id] {
			continue
		}
		seen[id] = true
		members = append(members, m)
		most -= m.described.size
	}
	return members, nil
}

// mostWanted is how many bytes of descriptions answer one question at the most.
const mostWanted = 4 << 20

// tell answers who asks in datagrams. It runs in run.
func (n *Node) tell(l letter) error {
	room, letters := n.letterRoom(), maxTells
	if n.box() == nil {
		// Who asks may be somebody else, so the answer is no larger.
		room, letters = min(room, len(l.body)), 1
	}
	members, err := n.wanted(l.body, mostWanted)
	if err != nil {
		return err
	}
	var body, entry []byte
	for _, m := range members {
		entry = appendWanted(entry[:0], m.ID, m.version())
		if size := m.described.size; size+len(entry)+3 > room {
			entry = append(entry, 0)
		} else {
			entry = m.described.append(binary.AppendUvarint(entry, uint64(size)+1))
		}
		if len(body)+len(entry) > room {
			if letters--; letters == 0 {
				break
			}
			n.post(letterTell, l.from, body)
			body = body[:0]
		}
		body = append(body, entry...)
	}
	if len(body) > 0 {
		n.post(letterTell, l.from, body)
	}
	return nil
}

// inquire sends a question. Without a key it is padded to the room that there is
// for the answer.
func (n *Node) inquire(to ID, question []byte) {
	if room := n.letterRoom(); n.box() == nil && len(question) < room {
		question = append(question, make([]byte, room-len(question))...)
	}
	n.post(letterAsk, to, question)
}

func appendTold(b []byte, m Member) []byte {
	b = appendWanted(b, m.ID, m.version())
	return m.described.append(binary.AppendUvarint(b, uint64(m.described.size)+1))
}

// appendWanted appends an identity and the version of its description.
func appendWanted(b []byte, id ID, version uint64) []byte {
	return binary.AppendUvarint(appendID(b, id), version)
}

// readWanted cuts off what appendWanted wrote.
func readWanted(b []byte) (id ID, version uint64, rest []byte, ok bool) {
	if id, b, ok = readID(b); !ok {
		return id, 0, nil, false
	}
	version, size := binary.Uvarint(b)
	if size <= 0 {
		return id, 0, nil, false
	}
	return id, version, b[size:], true
}

// A told is a description that reached us.
type told struct {
	id        ID
	described *description
}

// hear takes what a member told us: all that we want of it, or nothing if it is
// damaged. What did not fit is asked for over a stream. It runs in run.
func (n *Node) hear(from ID, body []byte) error {
	var heard []told
	var large []byte
	for rest := body; len(rest) > 0; {
		id, version, tail, ok := readWanted(rest)
		if !ok {
			return errLetter
		}
		length, size := binary.Uvarint(tail)
		if size <= 0 || length > uint64(len(tail)-size)+1 {
			return errLetter
		}
		tail = tail[size:]
		w := n.wants[id.Addr()]
		isWanted := w != nil && w.id == id
		if length == 0 {
			if isWanted {
				large = appendWanted(large, id, version)
			}
			rest = tail
			continue
		}
		d, ok := readDescription(version, tail[:length-1])
		if !ok {
			return errLetter
		}
		if isWanted {
			heard = append(heard, told{id, d})
		}
		rest = tail[length-1:]
	}
	n.heard = append(n.heard, heard...)
	if len(large) > 0 {
		n.fetch(from, large)
	}
	return nil
}

// hearPushed takes a description that its owner broadcast.
func (n *Node) hearPushed(item []byte) (swim.Key, bool, error) {
	id, version, content, ok := readWanted(item)
	if !ok {
		return swim.Key{}, false, errMessage
	}
	d, ok := readDescription(version, content)
	if !ok {
		return swim.Key{}, false, errMessage
	}
	key := swim.Key{Name: "description of " + id.Addr().String(), Version: version}
	if id.Addr() == n.messages.self {
		return key, n.described != nil && id == n.core.Self().ID && d.version == n.described.version, nil
	}
	m, ok := n.events.view().find(id.Addr())
	if !ok || m.ID != id || !m.State.Active() || max(m.version(), n.pushed[id.Addr()]) >= version {
		return key, false, nil
	}
	n.pushed[id.Addr()] = version
	n.heard = append(n.heard, told{id, d})
	return key, true, nil
}

// A rate limits something that others make us do.
type rate struct {
	left   int
	filled swim.Instant
}

// mostAsked is how many letters that ask are answered in a second.
const mostAsked = 1000

func (r *rate) take(now swim.Instant) bool {
	if now.Sub(r.filled) >= time.Second {
		r.left, r.filled = mostAsked, now
	}
	if r.left == 0 {
		return false
	}
	r.left--
	return true
}
