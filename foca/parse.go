package foca

import (
	"bytes"
	"encoding/binary"

	"github.com/selkie-go/selkie/swim"
)

// Parse implements [swim.Codec]. Every error is [swim.ErrMalformed].
func (c *codec[ID]) Parse(data []byte, p *swim.Packet[ID]) error {
	p.Reset()
	scratch := c.spare.Swap(nil)
	if scratch == nil {
		scratch = new([]byte)
	}
	r := packetReader[ID]{reader: reader{rest: data}, codec: c, scratch: scratch}
	r.packet(p)
	c.spare.Store(scratch)
	if r.failed {
		p.Reset()
		return swim.ErrMalformed
	}
	return nil
}

// A packetReader reads what is made of identities.
type packetReader[ID comparable] struct {
	reader
	codec   *codec[ID]
	scratch *[]byte
}

func (r *packetReader[ID]) packet(p *swim.Packet[ID]) {
	h := &p.Header
	r.header(h)
	if h.Message.HasUpdates() && len(r.rest) > 0 {
		r.updates(p)
	}
	if h.Message.HasPayloads() {
		p.Payloads = r.payloads(p.Payloads)
	}
	if len(r.rest) > 0 {
		r.fail()
	}
}

func (r *packetReader[ID]) header(h *swim.Header[ID]) {
	h.Src = r.id()
	h.SrcIncarnation = r.incarnation()
	h.Dst = r.id()
	h.Message = messages[r.number(uint64(len(messages)-1))]
	if namesAbout(h.Message) {
		h.About = r.id()
	}
	if h.Message.HasNumber() {
		h.Number = uint32(r.byte())
	}
	if h.Message == swim.MessageTurnUndead {
		h.About, h.AboutIncarnation = h.Dst, maxIncarnation
	}
}

// id reads an identity. It is read from the bytes that it is written as.
func (r *packetReader[ID]) id() ID {
	var nobody ID
	if r.failed {
		return nobody
	}
	id, n, err := r.codec.parseID(r.rest)
	if err != nil || n <= 0 || n > min(r.codec.maxID, len(r.rest)) {
		r.fail()
		return nobody
	}
	*r.scratch = r.codec.appendID((*r.scratch)[:0], id)
	if !bytes.Equal(*r.scratch, r.take(n)) {
		r.fail()
		return nobody
	}
	return id
}

func (r *packetReader[ID]) incarnation() swim.Incarnation {
	return swim.Incarnation(r.number(maxIncarnation))
}

// updates reads the count and the updates. Memory grows with what was read,
// not with what the count says.
func (r *packetReader[ID]) updates(p *swim.Packet[ID]) {
	for range r.short() {
		m := r.member()
		switch {
		case r.failed:
			return
		case saysGoodbye(&p.Header, &m):
			p.Header.SrcState = swim.Left
		default:
			p.Updates = append(p.Updates, swim.Update[ID]{Member: m})
		}
	}
}

func (r *packetReader[ID]) member() (m swim.Member[ID]) {
	m.ID = r.id()
	m.Incarnation = r.incarnation()
	m.State = swim.State(r.number(uint64(swim.Down)))
	return m
}

// payloads reads payloads to the end.
func (r *packetReader[ID]) payloads(items [][]byte) [][]byte {
	for len(r.rest) > 0 {
		n := r.short()
		if n == 0 {
			r.fail()
			break
		}
		items = append(items, r.take(n))
	}
	return items
}

// short reads a count or a length.
func (r *reader) short() int {
	if b := r.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}
