package foca

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/selkie-go/selkie/swim"
)

// Package swimtest has the laws of a codec that says all that swim does. Here
// are those that hold for one that leaves some of it out.

type (
	packet = swim.Packet[swim.ID]
	update = swim.Update[swim.ID]
	member = swim.Member[swim.ID]
	header = swim.Header[swim.ID]
)

func mustID(at string, generation uint64) swim.ID {
	id, err := swim.NewID(netip.MustParseAddrPort(at), generation)
	if err != nil {
		panic(err)
	}
	return id
}

// borders are the integers at which the number of bytes changes, and those
// next to them.
var borders = []uint64{
	0, 1, 250, 251, 252, 253, 254, 255, 256, 65535, 65536, 65537,
	1<<32 - 1, 1 << 32, 1<<32 + 1, 1<<64 - 1,
}

// strangeIDs are identities at the edges of what can be written.
func strangeIDs() []swim.ID {
	var ids []swim.ID
	for _, at := range []string{
		"10.1.2.3:7946", "10.1.2.4:1", "0.0.0.1:250", "223.255.255.255:251", "192.0.2.1:255", "192.0.2.1:256",
		"[2001:db8::1]:65535", "[::1]:1", "[fe80::1]:251", "[fe00::]:80",
	} {
		for _, generation := range borders {
			ids = append(ids, mustID(at, generation))
		}
	}
	return ids
}

// name is an identity of an owner's own.
type name string

func appendName(b []byte, n name) []byte {
	return append(binary.AppendUvarint(b, uint64(len(n))), n...)
}

func parseName(data []byte) (name, int, error) {
	size, n := binary.Uvarint(data)
	if n <= 0 || size > uint64(len(data)-n) {
		return "", 0, errors.New("no name")
	}
	return name(data[n : n+int(size)]), n + int(size), nil
}

func names() []name {
	return []name{"", "a", "b", "ab", "selkie", name(strings.Repeat("x", 40))}
}

func nameCodec() swim.Codec[name] { return Codec(appendName, parseName, 41) }

// randomPacket returns a packet that can be sent.
func randomPacket[ID comparable](rnd *rand.Rand, ids []ID) *swim.Packet[ID] {
	pick := func() ID { return ids[rnd.IntN(len(ids))] }
	m := messages[rnd.IntN(len(messages))]
	p := &swim.Packet[ID]{Header: swim.Header[ID]{
		Message: m, Src: pick(), Dst: pick(),
		SrcIncarnation: swim.Incarnation(randomUint(rnd)), SrcMetadata: randomUint(rnd),
	}}
	h := &p.Header
	if m.HasUpdates() {
		h.SrcState = []swim.State{swim.Alive, swim.Left}[rnd.IntN(2)]
		for range rnd.IntN(40) {
			if u := randomUpdate(rnd, pick); u.ID != h.Src || u.Active() {
				p.Updates = append(p.Updates, u)
			}
		}
	}
	if m.HasPayloads() {
		for range rnd.IntN(4) {
			p.Payloads = append(p.Payloads, bytes.Repeat([]byte{byte(rnd.Uint())}, 1+rnd.IntN(300)))
		}
	}
	if m.HasNumber() {
		h.Number = uint32(randomUint(rnd))
	}
	if m.HasAbout() {
		h.About = pick()
	}
	switch m {
	case swim.MessagePingReq:
		h.NackAfter = uint32(randomUint(rnd))
	case swim.MessageTurnUndead:
		h.AboutIncarnation = swim.Incarnation(randomUint(rnd))
	case swim.MessageAnnounce:
		p.PadTo = rnd.IntN(1400)
	}
	return p
}

func randomUpdate[ID comparable](rnd *rand.Rand, pick func() ID) swim.Update[ID] {
	u := swim.Update[ID]{Member: swim.Member[ID]{
		ID: pick(), State: swim.State(rnd.UintN(4)),
		Incarnation: swim.Incarnation(randomUint(rnd)), Metadata: randomUint(rnd),
	}}
	if u.State == swim.Suspect || u.State == swim.Down {
		u.By = []ID{pick()}
	}
	if !u.Active() {
		u.Remaining = uint32(randomUint(rnd))
	}
	return u
}

// randomUint returns a border often, and otherwise a number of any length.
func randomUint(rnd *rand.Rand) uint64 {
	if rnd.UintN(2) == 0 {
		return borders[rnd.IntN(len(borders))]
	}
	return rnd.Uint64() >> rnd.UintN(64)
}

// arriving returns what arrives of a packet that was appended: what the package
// comment says, and of the updates those that were sent.
func arriving[ID comparable](p *swim.Packet[ID]) *swim.Packet[ID] {
	got := &swim.Packet[ID]{Header: p.Header, Payloads: p.Payloads}
	h := &got.Header
	h.SrcIncarnation = min(h.SrcIncarnation, math.MaxUint16)
	h.Number %= 256
	h.SrcMetadata, h.NackAfter = 0, 0
	if h.Message == swim.MessageTurnUndead {
		h.About, h.AboutIncarnation = h.Dst, math.MaxUint16
	}
	for _, u := range p.Updates {
		if u.Sent {
			got.Updates = append(got.Updates, swim.Update[ID]{Member: swim.Member[ID]{
				ID: u.ID, State: min(u.State, swim.Down), Incarnation: min(u.Incarnation, math.MaxUint16),
			}})
		}
	}
	return got
}

// difference says how packets that were parsed differ, in anything at all.
func difference[ID comparable](got, want *swim.Packet[ID]) string {
	switch {
	case got.Header != want.Header:
		return fmt.Sprintf("header %+v, want %+v", got.Header, want.Header)
	case got.PadTo != 0 || got.Unknown != 0 || len(got.Accusers) > 0:
		return fmt.Sprintf("something that does not travel: %+v", got)
	case !slices.EqualFunc(got.Payloads, want.Payloads, bytes.Equal):
		return fmt.Sprintf("payloads %x, want %x", got.Payloads, want.Payloads)
	case !slices.EqualFunc(got.Updates, want.Updates, func(a, b swim.Update[ID]) bool {
		return a.Member == b.Member && len(a.By)+len(b.By) == 0 && a.Remaining == b.Remaining && !a.Sent && !b.Sent
	}):
		return fmt.Sprintf("updates %+v, want %+v", got.Updates, want.Updates)
	}
	return ""
}

// A law checks one thing about a packet that can be sent, whose bytes, with
// room enough, are data.
type law[ID comparable] func(t *testing.T, c swim.Codec[ID], p *swim.Packet[ID], data []byte)

func TestPacketsKeepTheLaws(t *testing.T) {
	t.Run("bincode", func(t *testing.T) { keepsTheLaws(t, Bincode(), strangeIDs()) })
	t.Run("names", func(t *testing.T) { keepsTheLaws(t, nameCodec(), names()) })
}

func keepsTheLaws[ID comparable](t *testing.T, c swim.Codec[ID], ids []ID) {
	rnd := rand.New(rand.NewPCG(1, 2))
	met := make(map[swim.Message]int)
	for range 300 {
		p := randomPacket(rnd, ids)
		if len(p.Updates) > 6 {
			p.Updates = p.Updates[:6] // with more, some of the laws take long
		}
		met[p.Header.Message]++
		data := roundTrip(t, c, p)
		for _, check := range []law[ID]{rooms[ID], bounds[ID], strays[ID], shortened[ID]} {
			check(t, c, p, data)
		}
		if t.Failed() {
			return // what follows would be the same again
		}
	}
	for _, m := range messages {
		if met[m] < 10 {
			t.Errorf("only %d packets with %v: too few to say anything", met[m], m)
		}
	}
}

// roundTrip checks that what can be said arrives, and returns its bytes. What
// arrived is written as the same bytes.
func roundTrip[ID comparable](t *testing.T, c swim.Codec[ID], p *swim.Packet[ID]) []byte {
	t.Helper()
	data, err := c.Append(nil, math.MaxInt32, p)
	if err != nil {
		t.Fatalf("%+v: %v", p, err)
	}
	for _, u := range p.Updates {
		if !u.Sent {
			t.Fatalf("with room enough, %v of %v is not sent", u, p)
		}
	}
	got := parsed(t, c, data)
	if diff := difference(got, arriving(p)); diff != "" {
		t.Fatalf("%+v as %x: %s", p, data, diff)
	}
	again, err := c.Append(nil, math.MaxInt32, got)
	if err != nil || !bytes.Equal(again, data) {
		t.Fatalf("what arrived of %v is written as %x, %v; it came as %x", p, again, err, data)
	}
	return data
}

// parsed reads data with a packet that was used before, which must not matter.
func parsed[ID comparable](t *testing.T, c swim.Codec[ID], data []byte) *swim.Packet[ID] {
	t.Helper()
	p := used[ID]()
	if err := c.Parse(data, p); err != nil {
		t.Fatalf("%x: %v", data, err)
	}
	return p
}

func used[ID comparable]() *swim.Packet[ID] {
	p := &swim.Packet[ID]{
		Updates:  []swim.Update[ID]{{By: make([]ID, 1), Remaining: 1, Sent: true}},
		Payloads: [][]byte{{1}},
		Accusers: make([]ID, 1),
		PadTo:    1,
		Unknown:  1,
	}
	p.Header.SrcState, p.Header.Number, p.Header.NackAfter = swim.Left, 1, 1
	return p
}

// rooms checks every room from none to more than enough.
func rooms[ID comparable](t *testing.T, c swim.Codec[ID], p *swim.Packet[ID], data []byte) {
	bare := *p
	bare.Updates = nil
	least, err := c.Append(nil, math.MaxInt32, &bare)
	if err != nil {
		t.Fatalf("%v without updates: %v", p, err)
	}
	for room := max(0, len(least)-3); room <= len(data)+1; room++ {
		out, err := c.Append([]byte("ab"), room, p)
		if want := error(nil); room < len(least) {
			want = swim.ErrTooBig
			if err != want || string(out) != "ab" || countSent(p) != 0 {
				t.Fatalf("%v in %d bytes of %d: %x, %v, %d sent", p, room, len(least), out, err, countSent(p))
			}
			continue
		}
		if err != nil || !bytes.HasPrefix(out, []byte("ab")) || len(out) > 2+room {
			t.Fatalf("%v in %d bytes: %x, %v", p, room, out, err)
		}
		if diff := difference(parsed(t, c, out[2:]), arriving(p)); diff != "" {
			t.Fatalf("%v in %d bytes: %s", p, room, diff)
		}
		if room%16 == 0 {
			leftOut(t, c, p, room)
		}
	}
}

// leftOut checks of a packet that was just appended that an update was left
// out only if there was no room for it behind those sent before it.
func leftOut[ID comparable](t *testing.T, c swim.Codec[ID], p *swim.Packet[ID], room int) {
	try := *p
	try.Updates = nil
	for _, u := range p.Updates {
		try.Updates = append(try.Updates, u)
		if last := len(try.Updates) - 1; !u.Sent {
			if _, err := c.Append(nil, room, &try); err != nil || try.Updates[last].Sent {
				t.Fatalf("%v in %d bytes leaves out %v, for which there is room; %v", p, room, u, err)
			}
			try.Updates = try.Updates[:last]
		}
	}
}

// bounds checks MaxHeader and MaxUpdate.
func bounds[ID comparable](t *testing.T, c swim.Codec[ID], p *swim.Packet[ID], _ []byte) {
	bare := *p
	bare.Updates = nil
	bare.Payloads = bare.Payloads[:min(1, len(bare.Payloads))]
	header, err := c.Append(nil, math.MaxInt32, &bare)
	if err != nil {
		t.Fatalf("%v: %v", p, err)
	}
	size := len(header)
	for _, item := range bare.Payloads {
		size -= len(item)
	}
	if size > c.MaxHeader() {
		t.Errorf("the header of %v takes %d bytes, more than %d", p, size, c.MaxHeader())
	}
	for _, u := range p.Updates {
		bare.Updates = []swim.Update[ID]{u}
		with, err := c.Append(nil, math.MaxInt32, &bare)
		if n := len(with) - len(header); err != nil || n > c.MaxUpdate() {
			t.Errorf("%v takes %d bytes, more than %d; %v", u, n, c.MaxUpdate(), err)
		}
	}
}

// strays checks that what the message of a packet does not carry is refused
// rather than lost on the way.
func strays[ID comparable](t *testing.T, c swim.Codec[ID], p *swim.Packet[ID], _ []byte) {
	m := p.Header.Message
	other := swim.Update[ID]{Member: swim.Member[ID]{ID: p.Header.Dst}}
	for what, stray := range map[string]func(p *swim.Packet[ID]) bool{
		"a number":             func(p *swim.Packet[ID]) bool { p.Header.Number++; return !m.HasNumber() },
		"a time before a nack": func(p *swim.Packet[ID]) bool { p.Header.NackAfter++; return m != swim.MessagePingReq },
		"a page": func(p *swim.Packet[ID]) bool {
			p.Header.Page++
			return m != swim.MessageAnnounce && m != swim.MessageFeed
		},
		"an incarnation": func(p *swim.Packet[ID]) bool { p.Header.AboutIncarnation++; return m != swim.MessageTurnUndead },
		"padding":        func(p *swim.Packet[ID]) bool { p.PadTo++; return m != swim.MessageAnnounce },
		"a goodbye":      func(p *swim.Packet[ID]) bool { p.Header.SrcState = swim.Left; return !m.HasUpdates() },
		"an update":      func(p *swim.Packet[ID]) bool { p.Updates = append(p.Updates, other); return !m.HasUpdates() },
		"a payload":      func(p *swim.Packet[ID]) bool { p.Payloads = append(p.Payloads, []byte{1}); return !m.HasPayloads() },
		"a third": func(p *swim.Packet[ID]) bool {
			var nobody ID
			p.Header.About = p.Header.Dst
			return !m.HasAbout() && p.Header.Dst != nobody
		},
	} {
		with := *p
		if !stray(&with) {
			continue
		}
		if out, err := c.Append([]byte("ab"), math.MaxInt32, &with); err != swim.ErrEncode || string(out) != "ab" {
			t.Errorf("%v with %s, which it does not carry: %x, %v", m, what, out, err)
		}
	}
}

// shortened checks that a packet is not read after something was cut off,
// unless that was whole payloads, or all that is behind the header: the count
// may be absent.
func shortened[ID comparable](t *testing.T, c swim.Codec[ID], p *swim.Packet[ID], data []byte) {
	whole := map[int]bool{}
	n := len(data)
	for _, item := range slices.Backward(p.Payloads) {
		n -= lenLength + len(item)
		whole[n] = true
	}
	if p.Header.Message.HasUpdates() {
		bare := swim.Packet[ID]{Header: p.Header}
		bare.Header.SrcState = swim.Alive
		header, err := c.Append(nil, math.MaxInt32, &bare)
		if err != nil {
			t.Fatalf("%v: %v", p, err)
		}
		whole[len(header)-lenCount] = true
	}
	for n := range data {
		if accepted := checkParse(t, c, slices.Clip(data[:n])); accepted != whole[n] {
			t.Errorf("%d of the %d bytes of %v: accepted %v", n, len(data), p, accepted)
		}
	}
}

func countSent[ID any](p *swim.Packet[ID]) (n int) {
	for _, u := range p.Updates {
		if u.Sent {
			n++
		}
	}
	return n
}

func TestRandomPacketsSurviveInAnyRoom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	c, ids := Bincode(), strangeIDs()
	for range 3000 {
		p := randomPacket(rnd, ids)
		bare := *p
		bare.Updates = nil
		least, err := c.Append(nil, math.MaxInt32, &bare)
		if err != nil {
			t.Fatalf("%+v: %v", p, err)
		}
		room := len(least) + rnd.IntN(1400)
		data, err := c.Append(nil, room, p)
		if err != nil || len(data) > room {
			t.Fatalf("%+v in %d bytes: %d bytes, %v", p, room, len(data), err)
		}
		if diff := difference(parsed(t, c, data), arriving(p)); diff != "" {
			t.Fatalf("%+v in %d bytes: %s", p, room, diff)
		}
	}
}

// The bounds are what a user of the codec reckons with; every byte too many is
// one that payloads do not get.
func TestBoundsAreReached(t *testing.T) {
	far := func(i uint16) swim.ID {
		return mustID(netip.AddrPortFrom(netip.MustParseAddr("2001:db8::1"), 65535-i).String(), math.MaxUint64)
	}
	p := &packet{
		Header: header{
			Message: swim.MessagePingReq, Src: far(0), Dst: far(1), About: far(2),
			SrcState: swim.Left, SrcIncarnation: math.MaxUint64, Number: math.MaxUint32,
		},
		Payloads: [][]byte{make([]byte, maxLength)},
	}
	c := Bincode()
	without, err := c.Append(nil, math.MaxInt32, p)
	if err != nil || len(without)-maxLength != c.MaxHeader() {
		t.Errorf("the longest header takes %d bytes, MaxHeader is %d; %v", len(without)-maxLength, c.MaxHeader(), err)
	}
	p.Updates = []update{{Member: member{ID: far(3), State: swim.Left, Incarnation: math.MaxUint64}}}
	with, err := c.Append(nil, math.MaxInt32, p)
	if err != nil || len(with)-len(without) != c.MaxUpdate() {
		t.Errorf("the longest update takes %d bytes, MaxUpdate is %d; %v", len(with)-len(without), c.MaxUpdate(), err)
	}
}

func TestLimitsAreWhatTheFormatCanSay(t *testing.T) {
	want := swim.Limits{Incarnation: 65535, Number: 255, Unpadded: true, Unsynced: true}
	for _, c := range []any{Bincode(), nameCodec()} {
		if narrow, ok := c.(swim.Narrow); !ok || narrow.Limits() != want {
			t.Errorf("%T does not say its limits", c)
		}
	}
	c := Bincode()
	p := &packet{Header: header{
		Message: swim.MessagePing, Src: mustID("10.0.0.1:1", 0), Dst: mustID("10.0.0.2:1", 0),
		SrcIncarnation: want.Incarnation, Number: want.Number,
	}}
	if got := parsed(t, c, roundTrip(t, c, p)); got.Header != p.Header {
		t.Errorf("got %v, sent %v", got, p)
	}
}

func TestCanonicalBytesTellIdentitiesApart(t *testing.T) {
	c := Bincode()
	seen := make(map[string]swim.ID)
	for _, id := range strangeIDs() {
		b := c.AppendID([]byte("ab"), id)
		if !bytes.HasPrefix(b, []byte("ab")) || len(b) == 2 {
			t.Errorf("%v is written as %x", id, b)
		}
		if other, ok := seen[string(b)]; ok {
			t.Errorf("%v and %v have the same bytes", id, other)
		}
		seen[string(b)] = id
	}
}

// The lives of an address lie between all that sorts before it and behind it.
func TestLivesOfAnAddressSortTogether(t *testing.T) {
	ids := strangeIDs()
	c := Bincode()
	slices.SortFunc(ids, func(a, b swim.ID) int { return bytes.Compare(c.AppendID(nil, a), c.AppendID(nil, b)) })
	met := make(map[swim.Addr]bool)
	for i, id := range ids {
		if i > 0 && ids[i-1].Addr() != id.Addr() && met[id.Addr()] {
			t.Errorf("others sort between the lives of %v", id.Addr())
		}
		met[id.Addr()] = true
	}
}

// The owner's functions are not trusted either.
func TestFunctionsThatBreakTheirContractAreSurvived(t *testing.T) {
	one := func(b []byte, id uint8) []byte { return append(b, id) }
	p := &swim.Packet[uint8]{Header: swim.Header[uint8]{Src: 1, Dst: 2, Message: swim.MessageGossip}}
	data, err := Codec(one, func(b []byte) (uint8, int, error) { return b[0], 1, nil }, 1).Append(nil, 100, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{-1, 0, 2, math.MaxInt} {
		c := Codec(one, func([]byte) (uint8, int, error) { return 1, n, nil }, 1)
		if err := c.Parse(data, new(swim.Packet[uint8])); err != swim.ErrMalformed {
			t.Errorf("an identity of %d bytes: %v", n, err)
		}
	}
	other := Codec(one, func(b []byte) (uint8, int, error) { return b[0] &^ 1, 1, nil }, 1)
	if err := other.Parse(data, new(swim.Packet[uint8])); err != swim.ErrMalformed {
		t.Errorf("an identity that is written as other bytes: %v", err)
	}
	two := Codec(
		func(b []byte, id uint8) []byte { return append(b, id, id) },
		func(b []byte) (uint8, int, error) { return b[0], min(2, len(b)), nil },
		1,
	)
	if err := two.Parse([]byte{1, 1, 3, 2, 2, 8, 0, 0}, new(swim.Packet[uint8])); err != swim.ErrMalformed {
		t.Errorf("an identity of more bytes than there may be: %v", err)
	}
	for _, size := range []int{0, 2} {
		c := Codec(func(b []byte, _ uint8) []byte { return append(b, make([]byte, size)...) }, nil, 1)
		if out, err := c.Append(nil, 100, p); err != swim.ErrEncode || out != nil {
			t.Errorf("an identity written as %d bytes: %x, %v", size, out, err)
		}
		if out := c.AppendID([]byte("ab"), 1); string(out) != "ab" {
			t.Errorf("an identity written as %d bytes has the canonical bytes %x", size, out[2:])
		}
	}
}

// benchPacket returns a gossip with more updates than fit.
func benchPacket(s swim.State) *packet {
	rnd := rand.New(rand.NewPCG(5, 6))
	id := func() swim.ID {
		at := netip.AddrFrom4([4]byte{10, 1, byte(rnd.Uint()), byte(rnd.Uint())})
		return mustID(netip.AddrPortFrom(at, 7946).String(), 1_782_864_000+rnd.Uint64N(100_000))
	}
	p := &packet{Header: header{Message: swim.MessageGossip, Src: id(), Dst: id()}}
	for range 150 {
		p.Updates = append(p.Updates, update{Member: member{ID: id(), State: s, Incarnation: swim.Incarnation(rnd.Uint64N(300))}})
	}
	p.Payloads = [][]byte{[]byte("payload")}
	return p
}

const benchRoom = 1400

func TestAppendAndParseDoNotAllocate(t *testing.T) {
	c := Bincode()
	var got packet
	var buf []byte
	for s := swim.Alive; s <= swim.Left; s++ {
		p := benchPacket(s)
		p.Header.SrcState = []swim.State{swim.Alive, swim.Left}[s%2]
		if n := testing.AllocsPerRun(100, func() { buf, _ = c.Append(buf[:0], benchRoom, p) }); n != 0 {
			t.Errorf("Append with %v updates allocates %v times", s, n)
		}
		if n := testing.AllocsPerRun(100, func() {
			if err := c.Parse(buf, &got); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("Parse with %v updates allocates %v times", s, n)
		}
		if diff := difference(&got, arriving(p)); diff != "" {
			t.Error(diff)
		}
		if n := countSent(p); n < 60 || n == len(p.Updates) {
			t.Errorf("%d updates fit", n)
		}
	}
}

func TestErrorsDoNotAllocate(t *testing.T) {
	c := Bincode()
	p := benchPacket(swim.Suspect)
	data, err := c.Append(nil, benchRoom, p)
	if err != nil {
		t.Fatal(err)
	}
	got := *parsed(t, c, data)
	multicast := bytes.Clone(data)
	multicast[1] = 0xe0
	portless := slices.Concat(data[:5], []byte{0}, data[5+lenNumber16:])
	for name, bad := range map[string][]byte{
		"shortened": data[:len(data)-1], "multicast": multicast, "portless": portless,
	} {
		if n := testing.AllocsPerRun(100, func() {
			if c.Parse(bad, &got) == nil {
				t.Fatal("it was accepted")
			}
		}); n != 0 {
			t.Errorf("refusing a %s packet allocates %v times", name, n)
		}
	}
	buf := make([]byte, 0, 100)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := c.Append(buf, 10, p); err != swim.ErrTooBig {
			t.Fatalf("error %v, want the bare ErrTooBig", err)
		}
	}); n != 0 {
		t.Errorf("failing to append allocates %v times", n)
	}
}

// A codec may serve any number of cores, each in its goroutine.
func TestCodecMayBeShared(t *testing.T) {
	c := Bincode()
	var all sync.WaitGroup
	for seed := range uint64(4) {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, 7))
			for range 100 {
				p := randomPacket(rnd, strangeIDs()[:20])
				data, err := c.Append(nil, math.MaxInt32, p)
				var got packet
				if err != nil || c.Parse(data, &got) != nil || difference(&got, arriving(p)) != "" {
					t.Errorf("%v did not survive: %v", p, err)
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkAppend(b *testing.B) {
	c, p := Bincode(), benchPacket(swim.Alive)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = c.Append(buf[:0], benchRoom, p)
	}
	report(b, countSent(p))
}

func BenchmarkParse(b *testing.B) {
	c, p := Bincode(), benchPacket(swim.Alive)
	buf, err := c.Append(nil, benchRoom, p)
	if err != nil {
		b.Fatal(err)
	}
	var got packet
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Parse(buf, &got); err != nil {
			b.Fatal(err)
		}
	}
	report(b, len(got.Updates))
}

// report reports how many updates a packet took, and the time for each.
func report(b *testing.B, updates int) {
	b.ReportMetric(float64(updates), "updates/packet")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(updates), "ns/update")
}
