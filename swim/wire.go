package swim

import (
	"encoding/binary"
	"slices"
)

// What both wire formats have in common. Docs/protocol.md draws the bytes
// with their reasons; this is the grammar. Numbers of fixed width are little
// endian. A uvarint has 7 bits a byte, the lowest first, and no more bytes
// than it needs.
//
//	packet   := version u8 | kind u8 | src | srcIncarnation uvarint | dst
//	          | [number uvarint] | [about] | [aboutIncarnation uvarint]   as the message has them
//	          | [options]                                                 kind says so
//	          | [count u16 | update*]                                     if the message has updates
//	          | payload*                                                  kind says so, to the end
//	          | 0x00*                                                     behind an announce
//	kind     := bits 0-3 message · 4 a number follows · 5 about follows · 6 options follow · 7 payloads follow
//	options  := length | field*      at least one, tags ascending; unknown ones are skipped
//	field    := tag u8 | length | bytes
//	             header: 1 metadata version uvarint · 2 nack after so many ms uvarint (ping-req), page uvarint (announce, feed)
//	                     3 digest (ping, ack): sum u64 | members and settled uvarint, bit 0 settled, at least one member
//	             update: 1 metadata version uvarint · 2 remaining ms uvarint (down, left)
//	payload  := length | bytes       at least one
//	length   := uvarint of at most 3 bytes
//
// How src, dst, about and update are written is what the formats differ in:
// see [Compact] and [Plain].
const (
	versionCompact = 0x01
	versionPlain   = 0x02

	kindMessage  = 0x0f
	kindNumber   = 0x10
	kindAbout    = 0x20
	kindOptions  = 0x40
	kindPayloads = 0x80

	tagMetadata = 1
	tagExtra    = 2 // of an update how long it is remembered, of a ping-req when to say nack, else the page

	tagDigest = 3

	// maxCount is how many updates the count can say.
	maxCount = 1<<16 - 1
	// maxLength is the longest thing that a length can announce, far above
	// any datagram: so the most bytes of a length are known.
	maxLength = 1<<21 - 1

	lenCount   = 2
	lenNumber  = 5  // a uvarint of 32 bits
	lenLong    = 10 // a uvarint of 64 bits
	lenLength  = 3
	lenOptions = 1 + 2 + lenLong + 2 + lenNumber
	lenDigest  = 2 + 8 + lenNumber
)

// hasOptions reports whether a header is followed by optional fields.
func (h *Header[ID]) hasOptions() bool {
	return h.SrcMetadata != 0 || h.NackAfter|h.Page|h.Digest.Members != 0
}

// setOptions takes over what was read behind a header.
func (h *Header[ID]) setOptions(o options) {
	h.SrcMetadata = o.metadata
	if h.Message == MessagePingReq {
		h.NackAfter = o.extra
	} else {
		h.Page = o.extra
	}
	h.Digest = o.digest
}

// options returns the optional fields of a header.
func (h *Header[ID]) options() options {
	return options{metadata: h.SrcMetadata, extra: h.NackAfter | h.Page, digest: h.Digest}
}

// kindByte returns the second byte of a packet.
func kindByte(m Message, options, payloads bool) byte {
	kind := byte(m)
	if m.HasNumber() {
		kind |= kindNumber
	}
	if m.HasAbout() {
		kind |= kindAbout
	}
	if options {
		kind |= kindOptions
	}
	if payloads {
		kind |= kindPayloads
	}
	return kind
}

// checkKind reports whether kind is one that kindByte returns.
func checkKind(kind byte) bool {
	m := Message(kind & kindMessage)
	payloads := kind&kindPayloads != 0
	return m.Valid() && kind == kindByte(m, kind&kindOptions != 0, payloads) && (m.HasPayloads() || !payloads)
}

// checkPacket returns how many bytes the payloads of a packet take, or why it
// can not be sent, apart from its identities and updates. What its message
// does not carry must be absent rather than lost on the way.
func checkPacket[ID comparable](p *Packet[ID]) (payloads int, err error) {
	h, kind := &p.Header, p.Header.Message.kind()
	var nobody ID
	switch {
	case !h.Message.Valid(),
		h.SrcState != Alive && h.SrcState != Left,
		!kind.number && h.Number != 0,
		!kind.about && h.About != nobody,
		h.Message != MessageTurnUndead && h.AboutIncarnation != 0,
		h.Message != MessagePingReq && h.NackAfter != 0,
		!h.Message.hasPages() && h.Page != 0,
		h.Digest != Digest{} && (!h.Message.hasDigest() || h.Digest.Members == 0),
		!kind.updates && len(p.Updates) > 0,
		!kind.payloads && len(p.Payloads) > 0,
		h.Message != MessageAnnounce && p.PadTo != 0:
		return 0, ErrEncode
	}
	for _, item := range p.Payloads {
		switch {
		case len(item) == 0:
			return 0, ErrEncode
		case len(item) > maxLength:
			return 0, ErrTooBig
		}
		payloads += uvarintLen(uint64(len(item))) + len(item)
	}
	return payloads, nil
}

// checkUpdate reports whether an update can be sent, apart from its
// identities.
func checkUpdate[ID any](u *Update[ID]) bool {
	return u.State < numStates &&
		len(u.By) <= MaxAccusers &&
		(len(u.By) == 0 || accusable(u.State)) &&
		(u.Remaining == 0 || !u.State.Active())
}

// accusable reports whether records in this state name accusers.
func accusable(s State) bool { return s == Suspect || s == Down }

// unsend takes back that updates were sent, when their packet is not.
func unsend[ID any](updates []Update[ID]) {
	for i := range updates {
		updates[i].Sent = false
	}
}

// appendPayloads appends the section of payloads.
func appendPayloads(b []byte, payloads [][]byte) []byte {
	for _, item := range payloads {
		b = binary.AppendUvarint(b, uint64(len(item)))
		b = append(b, item...)
	}
	return b
}

// appendPadding appends zeros until b has size bytes.
func appendPadding(b []byte, size int) []byte {
	from := len(b)
	if size <= from {
		return b
	}
	b = slices.Grow(b, size-from)[:size]
	clear(b[from:])
	return b
}

// appendOptions appends the optional fields, of which at least one is not
// zero.
func appendOptions(b []byte, o options) []byte {
	at := len(b)
	b = append(b, 0)
	b = appendOption(b, tagMetadata, o.metadata)
	b = appendOption(b, tagExtra, uint64(o.extra))
	if o.digest.Members != 0 {
		b = o.digest.append(append(b, tagDigest, 0))
	}
	b[at] = byte(len(b) - at - 1) // three short fields: a length of one byte
	return b
}

func appendOption(b []byte, tag byte, v uint64) []byte {
	if v == 0 {
		return b
	}
	b = append(b, tag, byte(uvarintLen(v)))
	return binary.AppendUvarint(b, v)
}

// uvarintLen returns how many bytes a uvarint takes.
func uvarintLen(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

// A wireReader takes bytes off the front of a packet. Once it failed, all it
// returns is zero, so a caller needs to look only before it acts on what it
// read, or repeats.
type wireReader struct {
	rest   []byte
	failed bool
}

func (r *wireReader) fail() {
	r.rest, r.failed = nil, true
}

func (r *wireReader) take(n int) []byte {
	if n > len(r.rest) {
		r.fail()
		return nil
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *wireReader) byte() byte {
	if len(r.rest) == 0 {
		r.fail()
		return 0
	}
	c := r.rest[0]
	r.rest = r.rest[1:]
	return c
}

func (r *wireReader) count() int {
	if b := r.take(lenCount); b != nil {
		return int(binary.LittleEndian.Uint16(b))
	}
	return 0
}

// uvarint reads a uvarint of at most max, written as short as can be.
func (r *wireReader) uvarint(max uint64) uint64 {
	if len(r.rest) > 0 && r.rest[0] < 0x80 {
		v := uint64(r.rest[0])
		r.rest = r.rest[1:]
		return v
	}
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || r.rest[n-1] == 0 || v > max {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *wireReader) length() int { return int(r.uvarint(maxLength)) }

// incarnation reads an incarnation.
func (r *wireReader) incarnation() Incarnation { return Incarnation(r.uvarint(1<<64 - 1)) }

// payloads reads payloads to the end, at least one.
func (r *wireReader) payloads(items [][]byte) [][]byte {
	for {
		n := r.length()
		if n == 0 {
			r.fail()
			return items
		}
		items = append(items, r.take(n))
		if len(r.rest) == 0 {
			return items
		}
	}
}

// options are the optional fields of a header or an update.
type options struct {
	metadata uint64
	extra    uint32
	digest   Digest
	unknown  int
}

// A tagSet says which optional fields are known, a bit for each tag.
type tagSet uint8

// updateTags are those of updates.
const updateTags tagSet = 1<<tagMetadata | 1<<tagExtra

// knownTags are those that the header of a message may have.
func knownTags(m Message) tagSet {
	switch {
	case m == MessagePingReq || m.hasPages():
		return updateTags
	case m.hasDigest():
		return 1<<tagMetadata | 1<<tagDigest
	default:
		return 1 << tagMetadata
	}
}

// options reads optional fields.
func (r *wireReader) options(known tagSet) (o options) {
	size := r.length()
	if size == 0 {
		r.fail()
		return o
	}
	fields := wireReader{rest: r.take(size)}
	for last := -1; len(fields.rest) > 0; {
		tag := fields.byte()
		value := wireReader{rest: fields.take(fields.length())}
		switch {
		case int(tag) <= last:
			fields.fail()
		case tag > tagDigest || known>>tag&1 == 0:
			o.unknown++
		case tag == tagMetadata:
			o.metadata = value.option(1<<64 - 1)
		case tag == tagExtra:
			o.extra = uint32(value.option(1<<32 - 1))
		case tag == tagDigest:
			o.digest = value.digest()
		}
		last = int(tag)
		fields.failed = fields.failed || value.failed
	}
	if fields.failed {
		r.fail()
	}
	return o
}

// option reads the value of a field that holds a number: it is not zero, else
// the field would be absent, and nothing follows it.
func (r *wireReader) option(max uint64) uint64 {
	v := r.uvarint(max)
	if v == 0 || len(r.rest) > 0 {
		r.fail()
	}
	return v
}

// end checks what follows the last section: nothing, but zeros behind an
// announce.
func (r *wireReader) end(m Message) {
	if m != MessageAnnounce && len(r.rest) > 0 && planted != ignoreTrailing {
		r.fail()
	}
	for _, c := range r.rest {
		if c != 0 && planted != ignoreTrailing {
			r.fail()
			return
		}
	}
}
