package swimtest

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/selkie-go/selkie/swim"
)

// Codec checks the laws of [swim.Codec] with packets of every message, made of
// the given identities. It needs at least MaxAccusers+1 of them, of different
// addresses; the more different they are, the better the check.
//
// Of packets that were damaged on the way it demands that a shortened one is
// refused, unless whole payloads were cut off, and that Parse either refuses or
// gives what Append can write.
func Codec[ID comparable](t testing.TB, c swim.Codec[ID], ids ...ID) {
	t.Helper()
	if len(ids) <= swim.MaxAccusers {
		t.Fatalf("Codec needs at least %d identities to try", swim.MaxAccusers+1)
	}
	l := laws[ID]{t: t, c: c, broken: make(map[string]int)}
	l.identities(ids)
	for _, p := range packets(ids) {
		if len(l.broken) > 0 {
			return // what follows would be the same again
		}
		if data := l.roundTrip(p); data != nil {
			l.padding(p)
			l.bounds(p)
			l.rooms(p, data)
			l.strays(p)
			l.damage(p, data)
		}
	}
}

type laws[ID comparable] struct {
	t      testing.TB
	c      swim.Codec[ID]
	broken map[string]int // how often, by the format of the report
}

// errorf reports a broken law, but no law more than three times.
func (l laws[ID]) errorf(format string, args ...any) {
	l.t.Helper()
	if l.broken[format]++; l.broken[format] <= 3 {
		l.t.Errorf(format, args...)
	}
}

// identities checks that the canonical bytes tell identities apart.
func (l laws[ID]) identities(ids []ID) {
	l.t.Helper()
	seen := make(map[string]ID)
	for _, id := range ids {
		b := l.c.AppendID([]byte("ab"), id)
		if !bytes.HasPrefix(b, []byte("ab")) {
			l.errorf("AppendID of %v does not append", id)
			continue
		}
		if again := l.c.AppendID(nil, id); !bytes.Equal(again, b[2:]) {
			l.errorf("AppendID of %v is not always the same", id)
		}
		if other, ok := seen[string(b)]; ok && other != id {
			l.errorf("AppendID is the same for %v and %v", id, other)
		}
		seen[string(b)] = id
	}
}

// roundTrip checks that a packet survives, and returns its bytes.
func (l laws[ID]) roundTrip(p *swim.Packet[ID]) []byte {
	l.t.Helper()
	data, err := l.c.Append(nil, math.MaxInt32, p)
	if err != nil {
		l.errorf("Append of %v: %v", p, err)
		return nil
	}
	for _, u := range p.Updates {
		if !u.Sent {
			l.errorf("Append of %v: with room enough, %v is not Sent", p, u)
		}
	}
	got, ok := l.parse(data)
	if !ok {
		l.errorf("Parse refuses what Append wrote of %v", p)
		return nil
	}
	if diff := difference(p, got); diff != "" {
		l.errorf("Parse of what Append wrote of %v: %s", p, diff)
	}
	again, err := l.c.Append(nil, math.MaxInt32, got)
	if err != nil || !bytes.Equal(again, data) {
		l.errorf("Append of what Parse made of %v: error %v and\n%x, want\n%x", p, err, again, data)
	}
	return data
}

// parse parses data with a packet that was used before, which must not matter.
func (l laws[ID]) parse(data []byte) (p *swim.Packet[ID], ok bool) {
	l.t.Helper()
	defer func() {
		if r := recover(); r != nil {
			l.errorf("Parse of %x panics: %v", data, r)
			ok = false
		}
	}()
	before := bytes.Clone(data)
	p = &swim.Packet[ID]{
		Updates:  make([]swim.Update[ID], 1),
		Payloads: [][]byte{{1}},
		Accusers: make([]ID, 1),
		PadTo:    1,
		Unknown:  1,
	}
	err := l.c.Parse(data, p)
	if !bytes.Equal(before, data) {
		l.errorf("Parse changes its data %x", before)
	}
	return p, err == nil
}

// padding checks that an announce is padded, within its room, and that Parse
// overlooks it.
func (l laws[ID]) padding(p *swim.Packet[ID]) {
	l.t.Helper()
	if p.Header.Message != swim.MessageAnnounce {
		return
	}
	padded := *p
	padded.PadTo = 1000
	for room, want := range map[int]int{1200: 1000, 900: 900} {
		data, err := l.c.Append(nil, room, &padded)
		if err != nil || len(data) != want {
			l.errorf("Append of an announce padded to 1000 in %d bytes: %d bytes, %v; want %d", room, len(data), err, want)
			continue
		}
		got, ok := l.parse(data)
		if !ok {
			l.errorf("Parse refuses a padded announce")
			continue
		}
		if diff := difference(p, got); diff != "" {
			l.errorf("Parse of a padded announce: %s", diff)
		}
	}
}

// strays checks that what the message of a packet does not carry is refused
// rather than lost on the way.
func (l laws[ID]) strays(p *swim.Packet[ID]) {
	l.t.Helper()
	m := p.Header.Message
	for what, stray := range map[string]func(h *swim.Header[ID]) bool{
		"a number":              func(h *swim.Header[ID]) bool { h.Number++; return !m.HasNumber() },
		"a time before a nack":  func(h *swim.Header[ID]) bool { h.NackAfter++; return m != swim.MessagePingReq },
		"a page":                func(h *swim.Header[ID]) bool { h.Page++; return !hasPages(m) },
		"a digest":              func(h *swim.Header[ID]) bool { h.Digest.Members++; return !hasDigest(m) },
		"another's incarnation": func(h *swim.Header[ID]) bool { h.AboutIncarnation++; return m != swim.MessageTurnUndead },
	} {
		with := *p
		if !stray(&with.Header) {
			continue
		}
		if _, err := l.c.Append(nil, math.MaxInt32, &with); !errors.Is(err, swim.ErrEncode) {
			l.errorf("Append of %v with %s, which it does not carry: error %v, want %v", m, what, err, swim.ErrEncode)
		}
	}
}

// damage checks every shortened form of a packet, and every flipped bit.
func (l laws[ID]) damage(p *swim.Packet[ID], data []byte) {
	l.t.Helper()
	for n := range data {
		short := slices.Clip(data[:n])
		if _, ok := l.parse(short); ok && len(p.Payloads) <= 1 {
			l.errorf("Parse accepts %d of the %d bytes of %v", n, len(data), p)
		}
		l.accepted(short)
	}
	for bit := range 8 * len(data) {
		flipped := bytes.Clone(data)
		flipped[bit/8] ^= 1 << (bit % 8)
		l.accepted(flipped)
	}
}

// accepted checks that what Parse accepts is something that Append can write.
func (l laws[ID]) accepted(data []byte) {
	l.t.Helper()
	p, ok := l.parse(data)
	if !ok {
		return
	}
	again, err := l.c.Append(nil, math.MaxInt32, p)
	if err != nil {
		l.errorf("Append of what Parse made of %x: %v", data, err)
		return
	}
	q, ok := l.parse(again)
	if !ok {
		l.errorf("Parse refuses %x, appended from what it made of %x", again, data)
		return
	}
	if diff := difference(p, q); diff != "" {
		l.errorf("Parse of what Append wrote of %x: %s", data, diff)
	}
	if p.Unknown > 0 {
		return
	}
	rest, ok := bytes.CutPrefix(data, again)
	padded := p.Header.Message == swim.MessageAnnounce && len(bytes.Trim(rest, "\x00")) == 0
	if !ok || len(rest) > 0 && !padded {
		l.errorf("Append of what Parse made of %x: %x", data, again)
	}
}

// rooms checks every room from none to more than enough.
func (l laws[ID]) rooms(p *swim.Packet[ID], data []byte) {
	l.t.Helper()
	bare := *p
	bare.Updates = nil
	least, err := l.c.Append(nil, math.MaxInt32, &bare)
	if err != nil {
		l.errorf("Append of %v without updates: %v", p, err)
		return
	}
	for room := range len(data) + 2 {
		out, err := l.c.Append([]byte("ab"), room, p)
		if !bytes.HasPrefix(out, []byte("ab")) {
			l.errorf("Append of %v in %d bytes does not append", p, room)
			return
		}
		out = out[2:]
		if (err != nil) != (room < len(least)) {
			l.errorf("Append of %v in %d bytes, of which it needs %d: error %v", p, room, len(least), err)
			return
		}
		if err != nil {
			if len(out) > 0 {
				l.errorf("Append of %v in %d bytes leaves something behind its error", p, room)
			}
			continue
		}
		if len(out) > room {
			l.errorf("Append of %v in %d bytes takes %d", p, room, len(out))
			return
		}
		if got, ok := l.parse(out); !ok {
			l.errorf("Parse refuses what Append wrote of %v in %d bytes", p, room)
		} else if diff := difference(sent(p), got); diff != "" {
			l.errorf("Parse of what Append wrote of %v in %d bytes: %s", p, room, diff)
		}
		if room%8 == 0 {
			l.leftOut(p, room)
		}
	}
}

// sent returns the packet without the updates that were not sent.
func sent[ID any](p *swim.Packet[ID]) *swim.Packet[ID] {
	part := *p
	part.Updates = slices.DeleteFunc(slices.Clone(p.Updates), func(u swim.Update[ID]) bool { return !u.Sent })
	return &part
}

// leftOut checks of a packet that was just appended that an update was left
// out only if there was no room for it behind those sent before it.
func (l laws[ID]) leftOut(p *swim.Packet[ID], room int) {
	l.t.Helper()
	try := *p
	try.Updates = nil
	for _, u := range p.Updates {
		try.Updates = append(try.Updates, u)
		if u.Sent {
			continue
		}
		last := len(try.Updates) - 1
		if _, err := l.c.Append(nil, room, &try); err != nil || try.Updates[last].Sent {
			l.errorf("Append of %v in %d bytes leaves out %v, for which there is room", p, room, u)
		}
		try.Updates = try.Updates[:last]
	}
}

// bounds checks MaxHeader and MaxUpdate.
func (l laws[ID]) bounds(p *swim.Packet[ID]) {
	l.t.Helper()
	bare := *p
	bare.Updates = nil
	if len(bare.Payloads) > 1 {
		bare.Payloads = bare.Payloads[:1]
	}
	header, err := l.c.Append(nil, math.MaxInt32, &bare)
	if err != nil {
		l.errorf("Append of %v: %v", &bare, err)
		return
	}
	size := len(header)
	for _, item := range bare.Payloads {
		size -= len(item)
	}
	if size > l.c.MaxHeader() {
		l.errorf("the header of %v takes %d bytes, more than MaxHeader, %d", p, size, l.c.MaxHeader())
	}
	for _, u := range p.Updates {
		bare.Updates = []swim.Update[ID]{u}
		with, err := l.c.Append(nil, math.MaxInt32, &bare)
		if err != nil {
			l.errorf("Append of %v: %v", &bare, err)
			return
		}
		if n := len(with) - len(header); n > l.c.MaxUpdate() {
			l.errorf("%v takes %d bytes, more than MaxUpdate, %d", u, n, l.c.MaxUpdate())
		}
	}
}

// difference says how what arrived differs from what was sent, apart from
// what does not travel.
func difference[ID comparable](sent, got *swim.Packet[ID]) string {
	switch {
	case got.Header != sent.Header:
		return fmt.Sprintf("header %+v, want %+v", got.Header, sent.Header)
	case got.PadTo != 0:
		return "PadTo is not 0"
	case len(got.Updates) != len(sent.Updates):
		return fmt.Sprintf("%d updates, want %d", len(got.Updates), len(sent.Updates))
	case !slices.EqualFunc(got.Payloads, sent.Payloads, bytes.Equal):
		return fmt.Sprintf("payloads %x, want %x", got.Payloads, sent.Payloads)
	}
	for i, u := range got.Updates {
		if v := sent.Updates[i]; u.Member != v.Member || u.Remaining != v.Remaining || !slices.Equal(u.By, v.By) {
			return fmt.Sprintf("update %s, want %s", describe(u), describe(v))
		}
	}
	return ""
}

// describe says all that travels of an update.
func describe[ID any](u swim.Update[ID]) string {
	return fmt.Sprintf("{%v, incarnation %d, metadata %d, remaining %d}", u, u.Incarnation, u.Metadata, u.Remaining)
}
