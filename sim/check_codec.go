package sim

import (
	"bytes"
	"slices"

	"github.com/selkie-go/selkie/swim"
)

// codecEvery is how many packets there are to one that is read back.
const codecEvery = 256

// sampleCodec: a packet that was written says, read again, what it said, unless
// the wire can not express it, and written again it is the same bytes (S29).
func (o *oracle) sampleCodec(n *Node, p *swim.Packet[ID], data []byte) {
	if o.samples.packets++; o.samples.packets%codecEvery == 1 {
		o.checkCodec(n, p, data)
	}
}

func (o *oracle) checkCodec(n *Node, p *swim.Packet[ID], data []byte) {
	q := &o.samples.parsed
	if err := o.w.codec.Codec.Parse(data, q); err != nil {
		o.broken("S29", n, n.number, "wrote %v, which is no packet: %v", p, err)
		return
	}
	if !sameWords(o.w.profile.Wire.expressed(p), q) {
		o.broken("S29", n, n.number, "wrote %v, read %v", p, q)
	}
	q.PadTo = p.PadTo
	again, err := o.w.codec.Codec.Append(o.samples.buf[:0], len(data), q)
	if err != nil || !bytes.Equal(again, data) {
		o.broken("S29", n, n.number, "wrote %v, read %v, wrote again %d of %d bytes: %v", p, q, len(again), len(data), err)
	}
	o.samples.buf = again
}

// sameWords reports whether a packet that was read says what was written.
func sameWords(p, q *swim.Packet[ID]) bool {
	same := q.Header == p.Header && len(q.Payloads) == len(p.Payloads)
	at := 0
	for i := range p.Updates {
		u := &p.Updates[i]
		if !u.Sent {
			continue
		}
		same = same && at < len(q.Updates) && sameUpdate(u, &q.Updates[at])
		at++
	}
	return same && at == len(q.Updates)
}

// checkCanonical: bytes that are read as a packet are just the bytes that the
// packet is written as, but for what pads an announce (S29). So none is read that
// has anything before, behind or in between that does not count. It holds for
// whatever anybody sends, and needs no trust.
func (o *oracle) checkCanonical(n *Node, data []byte) {
	if !o.w.Watch {
		return
	}
	if q := &o.samples.parsed; o.w.codec.Codec.Parse(data, q) == nil {
		o.checkWritten(n, q, data)
	}
}

// checkWritten: a packet that was read is written as the bytes that it was. On
// foca's wire a count of none may be left out, and a goodbye stand anywhere among
// the updates.
func (o *oracle) checkWritten(n *Node, q *swim.Packet[ID], data []byte) {
	if q.Header.Message == swim.MessageAnnounce {
		q.PadTo = len(data)
	}
	for i := range q.Updates {
		q.Updates[i].Sent = false
	}
	again, err := o.w.codec.Codec.Append(o.samples.buf[:0], len(data)+2, q)
	same := q.Unknown > 0 || bytes.Equal(again, data)
	if o.w.profile.Wire == WireFoca {
		rest, longer := bytes.CutPrefix(again, data)
		same = same || q.Header.SrcState == swim.Left || longer && string(rest) == "\x00\x00"
	}
	if err != nil || !same {
		o.broken("S29", n, n.number, "read %d bytes as %v, which is written in %d (%v)", len(data), q, len(again), err)
	}
	o.samples.buf = again
}

// sameUpdate reports whether two updates say the same. Goodbyes carry no
// incarnation.
func sameUpdate(a, b *swim.Update[ID]) bool {
	return a.ID == b.ID && a.State == b.State && (a.Incarnation == b.Incarnation || a.State == swim.Left) &&
		a.Metadata == b.Metadata && slices.Equal(a.By, b.By)
}
