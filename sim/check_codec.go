package sim

import (
	"bytes"
	"slices"

	"github.com/selkie-go/selkie/swim"
)

// codecEvery is how many packets there are to one that is read back.
const codecEvery = 256

// sampleCodec: a packet that was written says, read again, what it said, and
// written again it is the same bytes (S29).
func (o *oracle) sampleCodec(n *Node, p *swim.Packet[ID], data []byte) {
	if o.samples.packets++; o.samples.packets%codecEvery == 1 {
		o.checkCodec(n, p, data)
	}
}

func (o *oracle) checkCodec(n *Node, p *swim.Packet[ID], data []byte) {
	q := &o.samples.parsed
	if err := codec.Parse(data, q); err != nil {
		o.broken("S29", n, n.number, "wrote %v, which is no packet: %v", p, err)
		return
	}
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
	same = same && at == len(q.Updates)
	q.PadTo = p.PadTo
	again, err := codec.Append(o.samples.buf[:0], len(data), q)
	if err != nil || !same || !bytes.Equal(again, data) {
		o.broken("S29", n, n.number, "wrote %v, read %v, wrote again %d of %d bytes: %v", p, q, len(again), len(data), err)
	}
	o.samples.buf = again
}

// sameUpdate reports whether two updates say the same. Goodbyes carry no
// incarnation.
func sameUpdate(a, b *swim.Update[ID]) bool {
	return a.ID == b.ID && a.State == b.State && (a.Incarnation == b.Incarnation || a.State == swim.Left) &&
		a.Metadata == b.Metadata && slices.Equal(a.By, b.By)
}
