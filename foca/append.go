package foca

import (
	"encoding/binary"
	"math"

	"github.com/selkie-go/selkie/swim"
)

// Append implements [swim.Codec]. It returns [swim.ErrTooBig] if the header and
// the payloads do not fit, and [swim.ErrEncode] if the packet has something that
// its message does not carry or that this format can not say. What that is and
// what is merely left out, the package comment lists.
func (c *codec[ID]) Append(b []byte, room int, p *swim.Packet[ID]) ([]byte, error) {
	out, err := c.append(b, room, p)
	if err != nil {
		for i := range p.Updates {
			p.Updates[i].Sent = false
		}
		return b, err
	}
	return out, nil
}

func (c *codec[ID]) append(b []byte, room int, p *swim.Packet[ID]) ([]byte, error) {
	if !expressible(p) {
		return nil, swim.ErrEncode
	}
	payloads, err := payloadBytes(p.Payloads)
	if err != nil {
		return nil, err
	}
	limit := len(b) + min(room, math.MaxInt-len(b)) - payloads // room may be endless
	b, ok := c.appendHeader(b, &p.Header)
	switch {
	case !ok:
		return nil, swim.ErrEncode
	case len(b) > limit:
		return nil, swim.ErrTooBig
	}
	if p.Header.Message.HasUpdates() {
		if b, err = c.appendUpdates(b, limit, p); err != nil {
			return nil, err
		}
	}
	return appendPayloads(b, p.Payloads), nil
}

// expressible reports whether a packet can be sent, apart from its identities,
// updates and payloads. What its message does not carry must be absent rather
// than lost on the way.
func expressible[ID comparable](p *swim.Packet[ID]) bool {
	h, m := &p.Header, p.Header.Message
	var nobody ID
	switch {
	case variant(m) < 0,
		h.SrcState != swim.Alive && h.SrcState != swim.Left,
		h.SrcState == swim.Left && !m.HasUpdates(),
		!m.HasNumber() && h.Number != 0,
		!m.HasAbout() && h.About != nobody,
		m != swim.MessageTurnUndead && h.AboutIncarnation != 0,
		m != swim.MessagePingReq && h.NackAfter != 0,
		m != swim.MessageAnnounce && p.PadTo != 0,
		m != swim.MessageAnnounce && m != swim.MessageFeed && h.Page != 0,
		h.Digest != swim.Digest{} && m != swim.MessagePing && m != swim.MessageAck,
		!m.HasUpdates() && len(p.Updates) > 0,
		!m.HasPayloads() && len(p.Payloads) > 0:
		return false
	}
	return true
}

// payloadBytes returns how many bytes payloads take, or why they can not be
// sent.
func payloadBytes(payloads [][]byte) (n int, err error) {
	for _, item := range payloads {
		switch {
		case len(item) == 0:
			return 0, swim.ErrEncode
		case len(item) > maxLength:
			return 0, swim.ErrTooBig
		}
		n += lenLength + len(item)
	}
	return n, nil
}

// appendHeader appends the header up to the count.
func (c *codec[ID]) appendHeader(b []byte, h *swim.Header[ID]) (out []byte, ok bool) {
	if b, ok = c.put(b, h.Src); !ok {
		return nil, false
	}
	b = appendIncarnation(b, h.SrcIncarnation)
	if b, ok = c.put(b, h.Dst); !ok {
		return nil, false
	}
	b = appendNumber(b, uint64(variant(h.Message)))
	if namesAbout(h.Message) {
		if b, ok = c.put(b, h.About); !ok {
			return nil, false
		}
	}
	if h.Message.HasNumber() {
		b = append(b, byte(h.Number))
	}
	return b, true
}

func appendIncarnation(b []byte, i swim.Incarnation) []byte {
	return appendNumber(b, uint64(min(i, maxIncarnation)))
}

// appendUpdates appends a count, the goodbye of a sender that says it, and the
// updates that fit while b is no longer than limit.
func (c *codec[ID]) appendUpdates(b []byte, limit int, p *swim.Packet[ID]) (out []byte, err error) {
	count, at := uint16(0), len(b)
	b = append(b, 0, 0)
	h := &p.Header
	if h.SrcState == swim.Left {
		// The header was written, so its identity can be.
		b, _ = c.appendUpdate(b, h.Src, h.SrcIncarnation, swim.Down)
		count++
	}
	if len(b) > limit {
		return nil, swim.ErrTooBig
	}
	for i := range p.Updates {
		u := &p.Updates[i]
		u.Sent = false
		if u.State > swim.Left || saysGoodbye(h, &u.Member) {
			return nil, swim.ErrEncode
		}
		if len(b)+minUpdate > limit || count == maxCount {
			continue
		}
		longer, ok := c.appendUpdate(b, u.ID, u.Incarnation, u.State)
		if !ok {
			return nil, swim.ErrEncode
		}
		if len(longer) > limit {
			b = longer[:len(b)] // it may have grown, which need not be repeated
			continue
		}
		b = longer
		u.Sent = true
		count++
	}
	binary.BigEndian.PutUint16(b[at:], count)
	return b, nil
}

// saysGoodbye reports whether an update is, on the wire, the goodbye of the
// packet's own sender.
func saysGoodbye[ID comparable](h *swim.Header[ID], m *swim.Member[ID]) bool {
	return !m.Active() && m.ID == h.Src
}

func (c *codec[ID]) appendUpdate(b []byte, id ID, i swim.Incarnation, s swim.State) (out []byte, ok bool) {
	if b, ok = c.put(b, id); !ok {
		return nil, false
	}
	b = appendIncarnation(b, i)
	return appendNumber(b, uint64(min(s, swim.Down))), true
}

// appendPayloads appends the payloads, each behind its length.
func appendPayloads(b []byte, payloads [][]byte) []byte {
	for _, item := range payloads {
		b = binary.BigEndian.AppendUint16(b, uint16(len(item)))
		b = append(b, item...)
	}
	return b
}
