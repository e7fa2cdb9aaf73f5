package swim

import (
	"encoding/binary"
	"math/bits"
)

// Parse implements [Codec]. Every error is [ErrMalformed].
func (compact) Parse(data []byte, p *Packet[ID]) error {
	p.Reset()
	r := compactReader{
		wireReader: wireReader{rest: data},
		prev:       Addr{lo: mapped},
		base:       generationEpoch,
	}
	r.packet(p)
	if r.failed && (planted != applyUpToDamage || len(p.Updates) <= 1) {
		p.Reset()
		return ErrMalformed
	}
	return nil
}

// Ends reads from a packet of [Compact] what message it is, who sent it, and to
// whom, in a few tens of nanoseconds, for drivers that have to know before
// they hand it to a core. The rest of the packet is not looked at.
func Ends(data []byte) (m Message, from, to ID, ok bool) {
	r := compactReader{
		wireReader: wireReader{rest: data},
		prev:       Addr{lo: mapped},
		base:       generationEpoch,
	}
	kind := byte(0)
	if r.byte() == versionCompact {
		kind = r.byte()
	}
	if !checkKind(kind) {
		return 0, from, to, false
	}
	from, _, _ = r.ref()
	r.src, r.base = from, from.gen
	r.incarnation()
	to = r.plainRef()
	return Message(kind & kindMessage), from, to, !r.failed
}

// A compactReader remembers what the next ref is relative to.
type compactReader struct {
	wireReader
	prev  Addr
	base  uint64 // what generations are relative to
	src   ID
	named [maxNamed]int32 // where in Packet.Accusers those with a number are
	nums  int             // how many of them there are
}

func (r *compactReader) packet(p *Packet[ID]) {
	if r.byte() != versionCompact {
		r.fail()
		return
	}
	kind := r.byte()
	if !checkKind(kind) {
		r.fail()
		return
	}
	m := Message(kind & kindMessage)
	r.header(p, m, kind&kindOptions != 0)
	if m.HasUpdates() {
		r.updates(p)
	}
	if kind&kindPayloads != 0 {
		p.Payloads = r.payloads(p.Payloads)
	}
	r.end(m)
}

func (r *compactReader) header(p *Packet[ID], m Message, hasOptions bool) {
	h := &p.Header
	h.Message = m
	src, ctrl, more := r.ref()
	h.Src, h.SrcState = src, State(ctrl&ctrlState)
	if more&moreOptions != 0 || h.SrcState != Alive && h.SrcState != Left {
		r.fail()
	}
	r.src, r.base = src, src.gen
	h.SrcIncarnation = r.incarnation()
	h.Dst = r.plainRef()
	if m.HasNumber() {
		h.Number = uint32(r.uvarint(1<<32 - 1))
	}
	if m.HasAbout() {
		h.About = r.plainRef()
	}
	if m == MessageTurnUndead {
		h.AboutIncarnation = r.incarnation()
	}
	if hasOptions {
		o := r.options(knownTags(m))
		h.setOptions(o)
		p.Unknown += o.unknown
	}
	r.prev = src.addr
}

// updates reads the count and the updates. Memory grows with what was read,
// not with what the count says.
func (r *compactReader) updates(p *Packet[ID]) {
	for range r.count() {
		n := len(p.Updates)
		if n < cap(p.Updates) {
			p.Updates = p.Updates[:n+1]
		} else {
			p.Updates = append(p.Updates, Update[ID]{})
		}
		r.update(p, &p.Updates[n])
		if r.failed {
			return
		}
	}
}

func (r *compactReader) update(p *Packet[ID], u *Update[ID]) {
	id, ctrl, more := r.ref()
	u.ID = id
	u.State = State(ctrl & ctrlState)
	u.Incarnation = r.incarnation()
	u.By = nil
	u.Metadata, u.Remaining, u.Sent = 0, 0, false
	if accusable(u.State) {
		u.By = r.accusers(p, id.addr)
	}
	if more&moreOptions != 0 {
		o := r.options(updateTags)
		u.Metadata, u.Remaining = o.metadata, o.extra
		p.Unknown += o.unknown
		if o.extra != 0 && u.State.Active() {
			r.fail()
		}
	}
}

// accusers reads who accuses a member.
func (r *compactReader) accusers(p *Packet[ID], accused Addr) []ID {
	first := len(p.Accusers)
	if len(r.rest) > 0 && int(r.rest[0])-1 < r.nums && r.rest[0] != accuserSender {
		// Nearly always it is one that was introduced before, alone; then its
		// memory will do.
		at := r.named[r.rest[0]-1]
		by := p.Accusers[at : at+1 : at+1]
		if by[0].addr == accused {
			r.fail()
		} else {
			r.rest = r.rest[1:]
		}
		return by
	}
	for {
		who := r.byte()
		if who == accuserNobody && len(p.Accusers) == first {
			return nil
		}
		id := r.accuser(p, int(who&^accuserAnother))
		if r.failed || id.addr == accused || containsAddr(p.Accusers[first:], id.addr) ||
			len(p.Accusers) == first+MaxAccusers {
			r.fail()
			return nil
		}
		p.Accusers = append(p.Accusers, id)
		if who < accuserAnother {
			return p.Accusers[first:len(p.Accusers):len(p.Accusers)]
		}
	}
}

// accuser returns one accuser by its number, or introduces a new one.
func (r *compactReader) accuser(p *Packet[ID], who int) ID {
	switch {
	case who == accuserSender:
		return r.src
	case who <= r.nums:
		return p.Accusers[r.named[who-1]]
	case who == accuserNew:
		return r.introduced(p)
	}
	r.fail()
	return ID{}
}

// introduced reads a new accuser. One that has a number is not new.
func (r *compactReader) introduced(p *Packet[ID]) ID {
	id := r.plainRef()
	if id == r.src {
		r.fail()
	}
	for _, at := range r.named[:r.nums] {
		if p.Accusers[at] == id {
			r.fail()
		}
	}
	if r.nums < maxNamed {
		r.named[r.nums] = int32(len(p.Accusers))
		r.nums++
	}
	return id
}

// plainRef reads an identity that has no state and no options.
func (r *compactReader) plainRef() ID {
	id, ctrl, more := r.ref()
	if ctrl&ctrlState != 0 || more&moreOptions != 0 {
		r.fail()
	}
	return id
}

// ref reads an identity and returns its control bytes too. It looks once
// whether there are enough bytes, and afterwards whether they were the form
// that ref of compactWriter gives them. Like that one it has a short way for
// IPv4 behind IPv4.
func (r *compactReader) ref() (id ID, ctrl, more byte) {
	data := r.rest
	if len(data) < shortRef || data[0] >= ctrlMore || !r.prev.is4() {
		return r.longRef()
	}
	ctrl = data[0]
	shared := uint(ctrl >> ctrlSharedAt & 3)
	ip := uint32(r.prev.lo)&^(1<<(32-8*shared)-1) | binary.BigEndian.Uint32(data[1:])>>(8*shared)
	at := 5 - shared
	port := r.prev.port
	if ctrl&ctrlPort != 0 {
		port = uint32(binary.LittleEndian.Uint16(data[at:]))
		at += 2
	}
	width := ctrl >> ctrlWidthAt
	size := uint(generationWidths[width])
	delta := int64(binary.LittleEndian.Uint64(data[at:])<<(64-8*size)) >> (64 - 8*size)
	addr := Addr{lo: mapped | uint64(ip), port: port}
	if generationWidth(delta) != int(width) ||
		min(uint(bits.LeadingZeros32(ip^uint32(r.prev.lo)))/8, 3) != shared ||
		(port != r.prev.port) != (ctrl&ctrlPort != 0) ||
		!addr.valid() {
		r.fail()
		return ID{}, 0, 0
	}
	r.prev = addr
	r.rest = data[at+size:]
	return ID{addr: addr, gen: r.base + uint64(delta)}, ctrl, 0
}

// longRef reads any identity.
func (r *compactReader) longRef() (id ID, ctrl, more byte) {
	data := r.rest
	if len(data) < minRef {
		r.fail()
		return ID{}, 0, 0
	}
	ctrl = data[0]
	at := 1
	if ctrl >= ctrlMore {
		more = data[1]
		at = 2
		if more == 0 || more > moreFamily|moreZone|moreOptions {
			r.fail()
			return ID{}, 0, 0
		}
	}
	shared := int(ctrl >> ctrlSharedAt & 3)
	width := int(ctrl >> ctrlWidthAt & 3)
	four := r.prev.is4() != (more&moreFamily != 0)
	size := 4 - shared
	if !four {
		size *= 4
	}
	end := at + size + int(ctrl&ctrlPort>>3) + int(more&moreZone*2) + int(generationWidths[width])
	if len(data) < end {
		r.fail()
		return ID{}, 0, 0
	}

	addr := r.prev
	addr.zone = 0
	if four {
		addr.hi = 0
		addr.lo = mapped | uint64(uint32(r.prev.lo)&^(1<<(8*size)-1)) | uint64(binary.BigEndian.Uint32(data[at:])>>(8*shared))
	} else {
		addr = addr.withTail(data[at : at+size])
	}
	at += size
	if ctrl&ctrlPort != 0 {
		addr.port = uint32(binary.LittleEndian.Uint16(data[at:]))
		if addr.port == r.prev.port {
			r.fail()
		}
		at += 2
	}
	if more&moreZone != 0 {
		addr.zone = binary.LittleEndian.Uint32(data[at:])
		if addr.zone == 0 {
			r.fail()
		}
		at += 4
	}
	delta := signed(data[at:], width)
	if generationWidth(delta) != width || addr.is4() != four || r.prev.shared(addr) != shared || !addr.valid() || r.failed {
		r.fail()
		return ID{}, 0, 0
	}
	r.prev = addr
	r.rest = data[end:]
	return ID{addr: addr, gen: r.base + uint64(delta)}, ctrl, more
}

// withTail replaces the last octets of an address.
func (a Addr) withTail(tail []byte) Addr {
	octets := a.octets()
	copy(octets[len(octets)-len(tail):], tail)
	a.hi = binary.BigEndian.Uint64(octets[:8])
	a.lo = binary.BigEndian.Uint64(octets[8:])
	return a
}

// signed reads the difference of a generation by the two bits of ctrl.
func signed(b []byte, width int) int64 {
	switch width {
	case 0:
		return int64(int8(b[2]))<<16 | int64(b[1])<<8 | int64(b[0])
	case 1:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	case 2:
		return int64(int8(b[4]))<<32 | int64(binary.LittleEndian.Uint32(b))
	default:
		return int64(binary.LittleEndian.Uint64(b))
	}
}
