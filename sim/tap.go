package sim

import "github.com/selkie-go/selkie/swim"

// A tap is the codec of a world: it shows the oracle what the nodes write and
// read, so that nobody has to parse a packet a second time.
type tap struct {
	swim.Codec[ID]
	w *World
}

// Append implements [swim.Codec].
func (t *tap) Append(b []byte, room int, p *swim.Packet[ID]) ([]byte, error) {
	carried := p
	if c := t.w.carries; c != nil && !c(p.Header.Message) {
		without := *p
		without.Updates = nil
		carried = &without
	}
	out, err := t.Codec.Append(b, room, carried)
	if n := t.w.current; err == nil && n != nil {
		t.w.chronicle.wrote(n, p)
		if t.w.overhear != nil {
			t.w.overhear(n, p, true)
		}
		if t.w.Watch {
			t.w.oracle.wrote(n, p)
			t.w.oracle.sampleCodec(n, p, out[len(b):])
		}
	}
	return out, err
}

// Parse implements [swim.Codec].
func (t *tap) Parse(data []byte, p *swim.Packet[ID]) error {
	err := t.Codec.Parse(data, p)
	if n := t.w.current; err == nil && n != nil && t.w.overhear != nil {
		t.w.overhear(n, p, false)
	}
	if n := t.w.current; n != nil && t.w.Watch {
		if err == nil {
			t.w.oracle.read(n, p)
		} else {
			t.w.oracle.unreadable(n)
		}
	}
	return err
}

// Limits implements [swim.Narrow].
func (t *tap) Limits() swim.Limits { return swim.LimitsOf(t.Codec) }
