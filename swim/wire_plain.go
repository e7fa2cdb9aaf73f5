package swim

import (
	"bytes"
	"encoding/binary"
)

// Plain returns a codec for any identity, given how a single one is written
// and read. It writes every identity in full; [Compact] is smaller, for the
// ready-made [ID] alone.
//
// AppendID appends the bytes of an identity, from 1 to maxID of them, and an
// equal identity has the same ones everywhere; zero bytes mean that the
// identity can not be written. ParseID reads one off the front of data, which
// may hold more and may be anything, and returns how many bytes it took. An
// identity that ParseID reads from other bytes than appendID writes is
// malformed. Neither may keep what it is handed.
//
//	src      := state u8 (alive or left) | id
//	dst      := id
//	about    := id
//	update   := head u8 | id | incarnation uvarint | accuser id* | [options]
//	  head     bits 0-1 state · 2-4 number of accusers, 0 unless suspect or down · 5 options follow · the rest 0
//
// Append may make b longer than room for a moment. It allocates nothing if
// what it returned is handed back as b, emptied.
func Plain[ID comparable](
	appendID func(b []byte, id ID) []byte,
	parseID func(data []byte) (id ID, n int, err error),
	maxID int,
) Codec[ID] {
	return &plain[ID]{appendID: appendID, parseID: parseID, maxID: maxID}
}

type plain[ID comparable] struct {
	appendID func(b []byte, id ID) []byte
	parseID  func(data []byte) (ID, int, error)
	maxID    int
}

const (
	headState       = 0x03
	headAccusersAt  = 2
	headAccusers    = 0x07
	headOptions     = 0x20
	headUnassigned  = 0xc0
	minPlainUpdate  = 1 + 1 + 1
	plainHeaderRest = 2 + 1 + lenLong + lenNumber + lenOptions + lenCount + lenLength
	plainUpdateRest = 1 + lenLong + lenOptions
)

// MaxHeader implements [Codec].
func (c *plain[ID]) MaxHeader() int {
	// Those that name a third identity have no digest.
	return plainHeaderRest + 2*c.maxID + max(c.maxID, lenDigest)
}

// MaxUpdate implements [Codec].
func (c *plain[ID]) MaxUpdate() int { return plainUpdateRest + (1+MaxAccusers)*c.maxID }

// AppendID implements [Codec].
func (c *plain[ID]) AppendID(b []byte, id ID) []byte {
	out, ok := c.put(b, id)
	if !ok {
		return b
	}
	return out
}

// Append implements [Codec]. It returns [ErrTooBig] if the header and the
// payloads do not fit, and [ErrEncode] if the packet has something that its
// message does not carry or that Parse would refuse.
func (c *plain[ID]) Append(b []byte, room int, p *Packet[ID]) ([]byte, error) {
	out, err := c.append(b, room, p)
	if err != nil {
		unsend(p.Updates)
		return b, err
	}
	return out, nil
}

func (c *plain[ID]) append(b []byte, room int, p *Packet[ID]) ([]byte, error) {
	payloads, err := checkPacket(p)
	if err != nil {
		return nil, err
	}
	start := len(b)
	b, ok := c.appendHeader(b, p)
	switch {
	case !ok:
		return nil, ErrEncode
	case len(b)+payloads > start+room:
		return nil, ErrTooBig
	}
	if p.Header.Message.HasUpdates() {
		if b, ok = c.appendUpdates(b, start+room-payloads, p.Updates); !ok {
			return nil, ErrEncode
		}
	}
	b = appendPayloads(b, p.Payloads)
	return appendPadding(b, start+min(p.PadTo, room)), nil
}

// put appends an identity, and reports whether that kept to the contract.
func (c *plain[ID]) put(b []byte, id ID) ([]byte, bool) {
	out := c.appendID(b, id)
	n := len(out) - len(b)
	return out, n > 0 && n <= c.maxID
}

func (c *plain[ID]) appendHeader(b []byte, p *Packet[ID]) (out []byte, ok bool) {
	h := &p.Header
	kind := h.Message.kind()
	b = append(b, versionPlain, kindByte(h.Message, h.hasOptions(), len(p.Payloads) > 0), byte(h.SrcState))
	if b, ok = c.put(b, h.Src); !ok {
		return nil, false
	}
	b = binary.AppendUvarint(b, uint64(h.SrcIncarnation))
	if b, ok = c.put(b, h.Dst); !ok {
		return nil, false
	}
	if kind.number {
		b = binary.AppendUvarint(b, uint64(h.Number))
	}
	if kind.about {
		if b, ok = c.put(b, h.About); !ok {
			return nil, false
		}
	}
	if h.Message == MessageTurnUndead {
		b = binary.AppendUvarint(b, uint64(h.AboutIncarnation))
	}
	if h.hasOptions() {
		b = appendOptions(b, h.options())
	}
	if kind.updates {
		b = append(b, 0, 0)
	}
	return b, true
}

// appendUpdates appends the updates that fit while b is no longer than limit,
// and puts their count before them.
func (c *plain[ID]) appendUpdates(b []byte, limit int, updates []Update[ID]) (out []byte, ok bool) {
	first := len(b)
	count := uint16(0)
	for i := range updates {
		u := &updates[i]
		u.Sent = false
		if !checkUpdate(u) || accusedTwice(u.ID, u.By) {
			return nil, false
		}
		if len(b)+minPlainUpdate > limit || count == maxCount {
			continue
		}
		mark := len(b)
		if b, ok = c.appendUpdate(b, u); !ok {
			return nil, false
		}
		if len(b) > limit && planted != overfillPacket {
			b = b[:mark]
			continue
		}
		u.Sent = true
		count++
	}
	binary.LittleEndian.PutUint16(b[first-lenCount:first], count)
	return b, true
}

// accusedTwice reports whether somebody accuses themselves, or twice.
func accusedTwice[ID comparable](accused ID, by []ID) bool {
	for i, id := range by {
		if id == accused {
			return true
		}
		for _, other := range by[:i] {
			if id == other {
				return true
			}
		}
	}
	return false
}

func (c *plain[ID]) appendUpdate(b []byte, u *Update[ID]) (out []byte, ok bool) {
	head := byte(u.State) | byte(len(u.By))<<headAccusersAt
	hasOptions := u.Metadata != 0 || u.Remaining != 0
	if hasOptions {
		head |= headOptions
	}
	b = append(b, head)
	if b, ok = c.put(b, u.ID); !ok {
		return nil, false
	}
	b = binary.AppendUvarint(b, uint64(u.Incarnation))
	for _, id := range u.By {
		if b, ok = c.put(b, id); !ok {
			return nil, false
		}
	}
	if hasOptions {
		b = appendOptions(b, options{metadata: u.Metadata, extra: u.Remaining})
	}
	return b, true
}

// Parse implements [Codec]. Every error is [ErrMalformed].
func (c *plain[ID]) Parse(data []byte, p *Packet[ID]) error {
	p.Reset()
	r := wireReader{rest: data}
	c.parse(&r, p)
	if r.failed && (planted != applyUpToDamage || len(p.Updates) <= 1) {
		p.Reset()
		return ErrMalformed
	}
	return nil
}

func (c *plain[ID]) parse(r *wireReader, p *Packet[ID]) {
	if r.byte() != versionPlain {
		r.fail()
		return
	}
	kind := r.byte()
	if !checkKind(kind) {
		r.fail()
		return
	}
	m := Message(kind & kindMessage)
	c.parseHeader(r, p, m, kind&kindOptions != 0)
	if m.HasUpdates() {
		c.parseUpdates(r, p)
	}
	if kind&kindPayloads != 0 {
		p.Payloads = r.payloads(p.Payloads)
	}
	r.end(m)
}

// take reads an identity. It is read from the bytes that it is written as.
func (c *plain[ID]) take(r *wireReader, p *Packet[ID]) ID {
	var nobody ID
	if r.failed {
		return nobody
	}
	id, n, err := c.parseID(r.rest)
	if err != nil || n <= 0 || n > min(c.maxID, len(r.rest)) {
		r.fail()
		return nobody
	}
	p.scratch = c.appendID(p.scratch[:0], id)
	if !bytes.Equal(p.scratch, r.take(n)) {
		r.fail()
		return nobody
	}
	return id
}

func (c *plain[ID]) parseHeader(r *wireReader, p *Packet[ID], m Message, hasOptions bool) {
	h := &p.Header
	h.Message = m
	h.SrcState = State(r.byte())
	if h.SrcState != Alive && h.SrcState != Left {
		r.fail()
	}
	h.Src = c.take(r, p)
	h.SrcIncarnation = r.incarnation()
	h.Dst = c.take(r, p)
	if m.HasNumber() {
		h.Number = uint32(r.uvarint(1<<32 - 1))
	}
	if m.HasAbout() {
		h.About = c.take(r, p)
	}
	if m == MessageTurnUndead {
		h.AboutIncarnation = r.incarnation()
	}
	if hasOptions {
		o := r.options(knownTags(m))
		h.setOptions(o)
		p.Unknown += o.unknown
	}
}

// parseUpdates reads the count and the updates. Memory grows with what was
// read, not with what the count says.
func (c *plain[ID]) parseUpdates(r *wireReader, p *Packet[ID]) {
	for range r.count() {
		p.Updates = append(p.Updates, Update[ID]{})
		c.parseUpdate(r, p, &p.Updates[len(p.Updates)-1])
		if r.failed {
			return
		}
	}
}

func (c *plain[ID]) parseUpdate(r *wireReader, p *Packet[ID], u *Update[ID]) {
	head := r.byte()
	accusers := int(head >> headAccusersAt & headAccusers)
	u.State = State(head & headState)
	if head&headUnassigned != 0 || accusers > MaxAccusers || accusers > 0 && !accusable(u.State) {
		r.fail()
		return
	}
	u.ID = c.take(r, p)
	u.Incarnation = r.incarnation()
	first := len(p.Accusers)
	for range accusers {
		p.Accusers = append(p.Accusers, c.take(r, p))
	}
	u.By = p.Accusers[first:len(p.Accusers):len(p.Accusers)]
	if head&headOptions != 0 {
		o := r.options(updateTags)
		u.Metadata, u.Remaining = o.metadata, o.extra
		p.Unknown += o.unknown
		if o.extra != 0 && u.State.Active() {
			r.fail()
		}
	}
	if !r.failed && accusedTwice(u.ID, u.By) {
		r.fail()
	}
}
