package swim

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Compact returns the default wire format, which is for the ready-made [ID].
// Every packet stands alone: each identity is written in full, but as the
// difference to one that was written before it, so that updates about members
// of one network take few bytes and a receiver needs to know nobody.
//
//	src, dst, about := ref
//	ref      := ctrl u8 | [ctrl2 u8] | address tail | [port u16] | [zone u32] | generation
//	  ctrl     bits 0-1 state: of the member in an update, of the sender in src (alive or left), else 0
//	           2-3 leading address bytes that are those of the previous ref: IPv4 0, 1, 2, 3; IPv6 0, 4, 8, 12
//	           4 port follows, else it is that of the previous ref
//	           5-6 generation in 3, 4, 5, 8 bytes
//	           7 ctrl2 follows
//	  ctrl2    bit 0 IPv6 if the previous ref was IPv4 and the reverse; nothing is shared then
//	           1 zone follows, else it is 0 · 2 the update has options · the rest 0
//	  generation: signed difference, modulo 2^64, to that of src; src's own to generationEpoch
//	update   := ref | incarnation uvarint | accuser+ (suspect, down) | [options]
//	accuser  := u8 | [ref]
//	           bits 0-6: 0 the sender · 1-125 the n-th that this packet introduced · 126 nobody (then it is the only one)
//	           127 one that is introduced here by the ref that follows
//	           7 another one follows; at most MaxAccusers, of distinct addresses other than the accused's
//
// The previous ref of src is 0.0.0.0 without a port. That of the first update
// is src, so that the updates of a packet do not depend on its receiver.
//
// Every value has one form, the shortest, and anything else is malformed: so
// what is forwarded, signed or compared as bytes means the same as what it
// says.
func Compact() Codec[ID] { return compact{} }

type compact struct{}

const (
	ctrlState      = 0x03
	ctrlSharedAt   = 2
	ctrlPort       = 0x10
	ctrlWidthAt    = 5
	ctrlMore       = 0x80
	moreFamily     = 0x01
	moreZone       = 0x02
	moreOptions    = 0x04
	accuserSender  = 0
	accuserNobody  = 126
	accuserNew     = 127
	accuserAnother = 0x80

	// maxNamed is how many accusers get a number. Those introduced after them
	// are introduced again each time.
	maxNamed = accuserNobody - 1

	// generationEpoch is what the generation of the sender is relative to: a
	// moment in December 2030. So 5 bytes suffice for what started between
	// 2013 and 2048; afterwards it takes 8.
	generationEpoch = 7 << 38

	minRef           = 1 + 1 + 3
	shortRef         = 1 + 4 + 2 + 8 // the longest IPv4 one without ctrl2
	maxRef           = 2 + 16 + 2 + 4 + 8
	minUpdate        = minRef + 1
	maxCompactUpdate = maxRef + lenLong + MaxAccusers*(1+maxRef) + lenOptions
	// maxCompactHeader is reached by ping-req, with a payload behind it.
	maxCompactHeader = 2 + maxRef + lenLong + maxRef + lenNumber + maxRef + lenOptions + lenCount + lenLength
)

// generationWidths are the bytes of a generation by the two bits of ctrl.
var generationWidths = [4]uint8{3, 4, 5, 8}

// widthOfBits are the two bits of ctrl by how many bits a difference has
// besides its sign. A table has no branches to guess wrong.
var widthOfBits = func() (widths [65]uint8) {
	for n := range widths {
		for int(generationWidths[widths[n]])*8 <= min(n, 63) {
			widths[n]++
		}
	}
	return widths
}()

// generationWidth returns the two bits of ctrl for a difference.
func generationWidth(delta int64) int {
	return int(widthOfBits[bits.Len64(uint64(delta^delta>>63))])
}

// shared returns the two bits of ctrl for an address that follows a.
func (a Addr) shared(next Addr) int {
	switch four := a.is4(); {
	case four != next.is4():
		return 0
	case four:
		return min(bits.LeadingZeros32(uint32(a.lo)^uint32(next.lo))/8, 3)
	case a.hi != next.hi:
		return bits.LeadingZeros64(a.hi^next.hi) / 32
	default:
		return 2 + min(bits.LeadingZeros64(a.lo^next.lo)/32, 1)
	}
}

// MaxHeader implements [Codec].
func (compact) MaxHeader() int { return maxCompactHeader }

// MaxUpdate implements [Codec].
func (compact) MaxUpdate() int { return maxCompactUpdate }

// AppendID implements [Codec]. These bytes never travel.
func (compact) AppendID(b []byte, id ID) []byte {
	if !id.addr.valid() {
		return b
	}
	b = binary.BigEndian.AppendUint64(b, id.addr.hi)
	b = binary.BigEndian.AppendUint64(b, id.addr.lo)
	b = binary.BigEndian.AppendUint32(b, id.addr.zone)
	b = binary.BigEndian.AppendUint16(b, uint16(id.addr.port))
	return binary.BigEndian.AppendUint64(b, id.gen)
}

// Append implements [Codec]. It returns [ErrTooBig] if the header and the
// payloads do not fit, and [ErrEncode] if the packet has something that its
// message does not carry or that Parse would refuse.
func (compact) Append(b []byte, room int, p *Packet[ID]) ([]byte, error) {
	out, err := appendCompact(b, room, p)
	if err != nil {
		unsend(p.Updates)
		return b, err
	}
	return out, nil
}

func appendCompact(b []byte, room int, p *Packet[ID]) ([]byte, error) {
	payloads, err := checkPacket(p)
	if err != nil {
		return nil, err
	}
	var dst wireScratch
	w := newCompactWriter()
	n := w.header(&dst, p)
	switch {
	case n == 0:
		return nil, ErrEncode
	case n+payloads > room:
		return nil, ErrTooBig
	}
	start := len(b)
	b = append(b, dst[:n]...)
	if p.Header.Message.HasUpdates() {
		if b, err = w.updates(b, start+room-payloads, p.Updates, &dst); err != nil {
			return nil, err
		}
	}
	b = appendPayloads(b, p.Payloads)
	return appendPadding(b, start+min(p.PadTo, room)), nil
}

// wireScratch holds what is written before it is known whether there is room
// for it: a header or an update, and the bytes that a wide store writes
// beyond.
type wireScratch [maxCompactUpdate + 8]byte

// A compactWriter remembers what the next ref is relative to.
type compactWriter struct {
	prev  Addr
	base  uint64 // what generations are relative to
	src   ID
	named [maxNamed]*ID // the accusers with a number, in its order
	nums  int           // how many of them there are
}

func newCompactWriter() compactWriter {
	return compactWriter{prev: Addr{lo: mapped}, base: generationEpoch}
}

// header writes a header and room for the count. It returns 0 if there is an
// identity that can not be written.
func (w *compactWriter) header(dst *wireScratch, p *Packet[ID]) int {
	h := &p.Header
	kind := h.Message.kind()
	if !h.Src.addr.valid() || !h.Dst.addr.valid() || kind.about && !h.About.addr.valid() {
		return 0
	}
	dst[0] = versionCompact
	dst[1] = kindByte(h.Message, h.hasOptions(), len(p.Payloads) > 0)
	n := 2
	n += w.ref(dst[n:], &h.Src, byte(h.SrcState), 0)
	w.src, w.base = h.Src, h.Src.gen
	n += binary.PutUvarint(dst[n:], uint64(h.SrcIncarnation))
	n += w.ref(dst[n:], &h.Dst, 0, 0)
	if kind.number {
		n += binary.PutUvarint(dst[n:], uint64(h.Number))
	}
	if kind.about {
		n += w.ref(dst[n:], &h.About, 0, 0)
	}
	if h.Message == MessageTurnUndead {
		n += binary.PutUvarint(dst[n:], uint64(h.AboutIncarnation))
	}
	if h.hasOptions() {
		n = len(appendOptions(dst[:n], h.options()))
	}
	if kind.updates {
		dst[n], dst[n+1] = 0, 0
		n += lenCount
	}
	w.prev = h.Src.addr
	return n
}

// updates appends the updates that fit while b is no longer than limit, and
// puts their count before them.
func (w *compactWriter) updates(b []byte, limit int, updates []Update[ID], dst *wireScratch) ([]byte, error) {
	first := len(b)
	count := uint16(0)
	for i := range updates {
		u := &updates[i]
		if !w.expressible(u) {
			return nil, ErrEncode
		}
		u.Sent = false
		if len(b)+minUpdate > limit || count == maxCount {
			continue
		}
		if end := len(b) + len(dst); end <= min(limit, cap(b)) {
			// It fits, however long it is: no need to write it twice.
			b = b[:len(b)+w.update((*wireScratch)(b[len(b):end]), u)]
		} else {
			prev, nums := w.prev, w.nums
			n := w.update(dst, u)
			if len(b)+n > limit && planted != overfillPacket {
				w.prev, w.nums = prev, nums
				continue
			}
			b = append(b, dst[:n]...)
		}
		u.Sent = true
		count++
	}
	binary.LittleEndian.PutUint16(b[first-lenCount:first], count)
	return b, nil
}

// expressible reports whether the update can be written.
func (w *compactWriter) expressible(u *Update[ID]) bool {
	if !checkUpdate(u) || !u.ID.addr.valid() {
		return false
	}
	for i := range u.By {
		at := u.By[i].addr
		if at == u.ID.addr || !at.valid() || containsAddr(u.By[:i], at) {
			return false
		}
	}
	return true
}

func containsAddr(ids []ID, at Addr) bool {
	return slices.ContainsFunc(ids, func(id ID) bool { return id.addr == at })
}

// update writes an update and returns its length.
func (w *compactWriter) update(dst *wireScratch, u *Update[ID]) int {
	more := byte(0)
	if u.Metadata != 0 || u.Remaining != 0 {
		more = moreOptions
	}
	n := w.ref(dst[:], &u.ID, byte(u.State), more)
	if u.Incarnation < 0x80 {
		dst[n] = byte(u.Incarnation)
		n++
	} else {
		n += binary.PutUvarint(dst[n:], uint64(u.Incarnation))
	}
	if accusable(u.State) {
		n += w.accusers(dst[n:], u.By)
	}
	if more != 0 {
		n = len(appendOptions(dst[:n], options{metadata: u.Metadata, extra: u.Remaining}))
	}
	return n
}

// accusers writes who accuses.
func (w *compactWriter) accusers(dst []byte, by []ID) int {
	if len(by) == 0 {
		dst[0] = accuserNobody
		return 1
	}
	n := 0
	for i := range by {
		at := n
		who := w.number(&by[i])
		n++
		if who == accuserNew {
			n += w.ref(dst[n:], &by[i], 0, 0)
		}
		if i+1 < len(by) {
			who |= accuserAnother
		}
		dst[at] = who
	}
	return n
}

// number returns the number of an accuser, and gives it one if it has none.
// Generations differ more often than not, so they are compared first.
func (w *compactWriter) number(id *ID) byte {
	if id.gen == w.src.gen && id.addr == w.src.addr {
		return accuserSender
	}
	for i, named := range w.named[:w.nums] {
		if named.gen == id.gen && named.addr == id.addr {
			return byte(i) + 1
		}
	}
	if w.nums < maxNamed {
		w.named[w.nums] = id
		w.nums++
	}
	return accuserNew
}

// ref writes an identity; it may overwrite up to 8 bytes behind it. Nearly all
// are IPv4 like the one before them, so that case has a short way of its own.
func (w *compactWriter) ref(dst []byte, id *ID, state, more byte) int {
	if more != 0 || !id.addr.is4() || !w.prev.is4() || id.addr.zone != 0 {
		return w.longRef(dst, id, state, more)
	}
	dst = dst[:shortRef]
	ip := uint32(id.addr.lo)
	shared := min(bits.LeadingZeros32(ip^uint32(w.prev.lo))/8, 3)
	binary.BigEndian.PutUint32(dst[1:], ip<<(8*shared))
	n := 5 - shared
	ctrl := state | byte(shared)<<ctrlSharedAt
	if id.addr.port != w.prev.port {
		ctrl |= ctrlPort
		binary.LittleEndian.PutUint16(dst[n:], uint16(id.addr.port))
		n += 2
	}
	delta := id.gen - w.base
	width := generationWidth(int64(delta))
	binary.LittleEndian.PutUint64(dst[n:], delta)
	dst[0] = ctrl | byte(width)<<ctrlWidthAt
	w.prev = id.addr
	return n + int(generationWidths[width])
}

// longRef writes any identity.
func (w *compactWriter) longRef(dst []byte, id *ID, state, more byte) int {
	addr := id.addr
	four := addr.is4()
	if four != w.prev.is4() {
		more |= moreFamily
	}
	if addr.zone != 0 {
		more |= moreZone
	}
	shared := w.prev.shared(addr)
	ctrl := state | byte(shared)<<ctrlSharedAt
	n := 1
	if more != 0 {
		ctrl |= ctrlMore
		dst[1] = more
		n = 2
	}
	if four {
		binary.BigEndian.PutUint32(dst[n:], uint32(addr.lo)<<(8*shared))
		n += 4 - shared
	} else {
		n += addr.putTail(dst[n:], 4*shared)
	}
	if addr.port != w.prev.port {
		ctrl |= ctrlPort
		binary.LittleEndian.PutUint16(dst[n:], uint16(addr.port))
		n += 2
	}
	if addr.zone != 0 {
		binary.LittleEndian.PutUint32(dst[n:], addr.zone)
		n += 4
	}
	delta := id.gen - w.base
	width := generationWidth(int64(delta))
	ctrl |= byte(width) << ctrlWidthAt
	binary.LittleEndian.PutUint64(dst[n:], delta)
	dst[0] = ctrl
	w.prev = addr
	return n + int(generationWidths[width])
}

// putTail writes the octets of an address from the given one on.
func (a Addr) putTail(dst []byte, from int) int {
	octets := a.octets()
	return copy(dst, octets[from:])
}

func (a Addr) octets() (octets [16]byte) {
	binary.BigEndian.PutUint64(octets[:8], a.hi)
	binary.BigEndian.PutUint64(octets[8:], a.lo)
	return octets
}
