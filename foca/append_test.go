package foca

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/selkie-go/selkie/swim"
)

// testGossip returns a packet that can be sent.
func testGossip() *packet {
	return &packet{
		Header:  header{Message: swim.MessageGossip, Src: idSrc, Dst: idDst, SrcIncarnation: 3},
		Updates: []update{{Member: member{ID: idThird, Incarnation: 5}}},
	}
}

func TestWhatCanNotBeSaidIsAnError(t *testing.T) {
	zoned := mustID("[fe80::1%7]:80", 1)
	about := func(id swim.ID, s swim.State) []update { return []update{{Member: member{ID: id, State: s}}} }
	for name, test := range map[string]struct {
		want error
		mar  func(p *packet)
	}{
		"nack": {swim.ErrEncode, func(p *packet) {
			p.Header.Message, p.Header.About = swim.MessageNack, idThird
		}},
		"no message": {swim.ErrEncode, func(p *packet) { p.Header.Message = 12 }},
		"goodbye in a broadcast": {swim.ErrEncode, func(p *packet) {
			p.Header.Message, p.Header.SrcState, p.Updates = swim.MessageBroadcast, swim.Left, nil
		}},
		"sender suspect":       {swim.ErrEncode, func(p *packet) { p.Header.SrcState = swim.Suspect }},
		"sender down":          {swim.ErrEncode, func(p *packet) { p.Header.SrcState = swim.Down }},
		"no such state":        {swim.ErrEncode, func(p *packet) { p.Updates = about(idThird, swim.Left+1) }},
		"update: sender down":  {swim.ErrEncode, func(p *packet) { p.Updates = about(idSrc, swim.Down) }},
		"update: sender left":  {swim.ErrEncode, func(p *packet) { p.Updates = about(idSrc, swim.Left) }},
		"empty payload":        {swim.ErrEncode, func(p *packet) { p.Payloads = [][]byte{{}} }},
		"endless payload":      {swim.ErrTooBig, func(p *packet) { p.Payloads = [][]byte{make([]byte, 1<<16)} }},
		"sender with a zone":   {swim.ErrEncode, func(p *packet) { p.Header.Src = zoned }},
		"receiver with a zone": {swim.ErrEncode, func(p *packet) { p.Header.Dst = zoned }},
		"third with a zone": {swim.ErrEncode, func(p *packet) {
			p.Header.Message, p.Header.About = swim.MessageIndirectPing, zoned
		}},
		"update with a zone": {swim.ErrEncode, func(p *packet) { p.Updates = about(zoned, swim.Alive) }},
		"update of nobody":   {swim.ErrEncode, func(p *packet) { p.Updates = about(swim.ID{}, swim.Alive) }},
	} {
		p := testGossip()
		good := p.Updates[0]
		test.mar(p)
		if len(p.Updates) > 0 {
			p.Updates = slices.Insert(p.Updates, 0, good)
		}
		out, err := Bincode().Append([]byte("ab"), 1<<22, p)
		if err != test.want || string(out) != "ab" || countSent(p) > 0 {
			t.Errorf("%s: %q and error %v, want %v; %d sent", name, out, err, test.want, countSent(p))
		}
	}
}

func TestWhatDoesNotTravelIsLeftOut(t *testing.T) {
	c := Bincode()
	want, err := c.Append(nil, 1400, testGossip())
	if err != nil {
		t.Fatal(err)
	}
	for name, add := range map[string]func(p *packet){
		"metadata of the sender": func(p *packet) { p.Header.SrcMetadata = 1 },
		"metadata":               func(p *packet) { p.Updates[0].Metadata = 1 },
		"accusers":               func(p *packet) { p.Updates[0].By = []swim.ID{idDst} },
		"accusers with a zone":   func(p *packet) { p.Updates[0].By = []swim.ID{mustID("[fe80::1%7]:80", 1)} },
		"remaining":              func(p *packet) { p.Updates[0].Remaining = 1 },
	} {
		p := testGossip()
		add(p)
		if out, err := c.Append(nil, 1400, p); err != nil || !bytes.Equal(out, want) {
			t.Errorf("%s: %x, %v", name, out, err)
		}
	}
	for message, add := range map[swim.Message]func(p *packet){
		swim.MessagePingReq: func(p *packet) { p.Header.NackAfter = 400 },
		swim.MessageAnnounce: func(p *packet) {
			p.Header.About, p.Header.Page, p.PadTo = swim.ID{}, 1, 1200
		},
		swim.MessageTurnUndead: func(p *packet) {
			p.Header.About, p.Header.AboutIncarnation = mustID("[fe80::1%7]:80", 1), 1<<40
		},
	} {
		p := &packet{Header: header{Message: message, Src: idSrc, Dst: idDst, About: idThird}}
		if message == swim.MessageAnnounce {
			p.Header.About = swim.ID{}
		}
		want, err := c.Append(nil, 1400, p)
		if err != nil {
			t.Fatal(err)
		}
		add(p)
		if out, err := c.Append(nil, 1400, p); err != nil || !bytes.Equal(out, want) {
			t.Errorf("%v: %x, %v, want %x", message, out, err, want)
		}
	}
}

func TestNumbersBeyondTheFormatAreCutDown(t *testing.T) {
	p := &packet{
		Header: header{Message: swim.MessageAck, Src: idSrc, Dst: idDst, SrcIncarnation: 1 << 40, Number: 0x1234},
		Updates: []update{
			{Member: member{ID: idThird, State: swim.Left, Incarnation: 65536}},
			{Member: member{ID: idDst, State: swim.Suspect, Incarnation: math.MaxUint64}},
		},
	}
	want := wireSrc + "fb ffff" + wireDst + "01 34 0002" + wireThird + "fb ffff 02" + wireDst + "fb ffff 01"
	if out, err := Bincode().Append(nil, 1400, p); err != nil || !bytes.Equal(out, unhex(want)) {
		t.Errorf("%x, %v, want %x", out, err, unhex(want))
	}
}

// The goodbye is part of the header: nothing is sent without it.
func TestGoodbyeIsAlwaysTheFirstUpdate(t *testing.T) {
	c := Bincode()
	p := testGossip()
	p.Header.SrcState = swim.Left
	want := unhex(wireHead + "08 0002" + wireBye + wireAlive)
	whole := len(want)
	bare := len(unhex(wireHead + "08 0001" + wireBye))
	for room := range whole + 2 {
		out, err := c.Append(nil, room, p)
		switch {
		case room < bare:
			if err != swim.ErrTooBig {
				t.Errorf("%d bytes: %v", room, err)
			}
		case room < whole:
			if err != nil || !bytes.Equal(out, unhex(wireHead+"08 0001"+wireBye)) || p.Updates[0].Sent {
				t.Errorf("%d bytes: %x, %v", room, out, err)
			}
		case err != nil || !bytes.Equal(out, want) || !p.Updates[0].Sent:
			t.Errorf("%d bytes: %x, %v, want %x", room, out, err, want)
		}
	}
}

func TestRoomMayBeEndless(t *testing.T) {
	out, err := Bincode().Append([]byte("ab"), math.MaxInt, testGossip())
	if want := unhex("6162" + wireHead + "08 0001" + wireAlive); err != nil || !bytes.Equal(out, want) {
		t.Errorf("%x, %v, want %x", out, err, want)
	}
}

func TestSmallerUpdatesTakeTheRoomOfLargerOnes(t *testing.T) {
	p := testGossip()
	p.Updates = []update{
		{Member: member{ID: idThird}},
		{Member: member{ID: idDst}},
		{Member: member{ID: idThird}},
	}
	room := len(unhex(wireHead + "08 0001" + wireDst + "00 00"))
	out, err := Bincode().Append(nil, room, p)
	if err != nil || len(out) != room || p.Updates[0].Sent || !p.Updates[1].Sent || p.Updates[2].Sent {
		t.Errorf("%x, %v, %+v", out, err, p.Updates)
	}
}

func TestSmallestUpdateFillsTheLastBytes(t *testing.T) {
	p := &swim.Packet[name]{
		Header:  swim.Header[name]{Message: swim.MessageGossip, Src: "a", Dst: "b"},
		Updates: []swim.Update[name]{{Member: swim.Member[name]{ID: ""}}},
	}
	whole := roundTrip(t, nameCodec(), p)
	for room := len(whole) - 1; room <= len(whole); room++ {
		out, err := nameCodec().Append(nil, room, p)
		if err != nil || p.Updates[0].Sent != (room == len(whole)) {
			t.Errorf("%d of %d bytes: %x, %v", room, len(whole), out, err)
		}
	}
}

func TestNoMoreUpdatesAreSentThanCanBeCounted(t *testing.T) {
	for state, want := range map[swim.State]int{swim.Alive: 65535, swim.Left: 65534} {
		p := testGossip()
		p.Header.SrcState = state
		p.Updates = slices.Repeat(p.Updates, 65537)
		data, err := Bincode().Append(nil, math.MaxInt32, p)
		if err != nil {
			t.Fatal(err)
		}
		if got := parsed(t, Bincode(), data); len(got.Updates) != want || countSent(p) != want {
			t.Errorf("%d updates arrived, %d were sent", len(got.Updates), countSent(p))
		}
	}
}

// A tape is read to its end, and yields zeros behind it.
type tape struct{ rest []byte }

func (p *tape) byte() byte {
	if len(p.rest) == 0 {
		return 0
	}
	b := p.rest[0]
	p.rest = p.rest[1:]
	return b
}

func (p *tape) below(n int) int { return int(p.byte()) % n }

// number returns a border, or anything.
func (p *tape) number() uint64 {
	if i := p.below(32); i < len(borders) {
		return borders[i]
	}
	var b [8]byte
	p.rest = p.rest[copy(b[:], p.rest):]
	return binary.LittleEndian.Uint64(b[:]) >> (p.byte() % 64)
}

// packet makes up a packet: mostly one that can be sent.
func (p *tape) packet(ids []swim.ID) *packet {
	who := func() swim.ID { return ids[p.below(len(ids))] }
	odd := p.below(8) == 0 // it may have what its message does not carry
	m := swim.Message(p.below(13))
	pkt := &packet{Header: header{Message: m, Src: who(), Dst: who(), SrcIncarnation: swim.Incarnation(p.number())}}
	h := &pkt.Header
	h.SrcMetadata = p.number()
	if m.HasNumber() || odd {
		h.Number = uint32(p.number())
	}
	if m.HasAbout() || odd {
		h.About = who()
	}
	if m == swim.MessagePingReq || odd {
		h.NackAfter = uint32(p.number())
	}
	if m == swim.MessageTurnUndead || odd {
		h.AboutIncarnation = swim.Incarnation(p.number())
	}
	if m == swim.MessageAnnounce || odd {
		pkt.PadTo = int(p.byte())
	}
	if m.HasUpdates() || odd {
		h.SrcState = []swim.State{swim.Alive, swim.Left}[p.below(2)]
		for range p.below(12) {
			pkt.Updates = append(pkt.Updates, update{
				Member:    member{ID: who(), State: swim.State(p.byte() % 17 % 5 % 4), Incarnation: swim.Incarnation(p.number())},
				Remaining: uint32(p.byte()),
			})
		}
	}
	if m.HasPayloads() || odd {
		for range p.below(4) {
			pkt.Payloads = append(pkt.Payloads, make([]byte, p.below(64)))
		}
	}
	return pkt
}

// FuzzAppend takes bytes for packets, of which some can not be sent, and the
// room for them.
func FuzzAppend(f *testing.F) {
	for seed := range byte(40) {
		program := make([]byte, 200)
		for i := range program {
			program[i] = byte(int(seed)*i*i + i)
		}
		f.Add(program)
	}
	ids := append(strangeIDs()[:60:60], strangeIDs()[96:]...)
	ids = append(ids, swim.ID{}, mustID("[fe80::1%7]:80", 1))
	f.Fuzz(func(t *testing.T, program []byte) {
		p := &tape{rest: program}
		for len(p.rest) > 0 {
			checkAppend(t, p.packet(ids), p.below(256)*3)
		}
	})
}

// checkAppend checks that a packet is refused with nothing left behind, or that
// it fits the room and what should arrive does.
func checkAppend(t *testing.T, p *packet, room int) {
	t.Helper()
	c := Bincode()
	for i := range p.Updates {
		p.Updates[i].Sent = true // by an earlier packet
	}
	out, err := c.Append([]byte("ab"), room, p)
	if err != nil {
		if err != swim.ErrEncode && err != swim.ErrTooBig || string(out) != "ab" || countSent(p) > 0 {
			t.Fatalf("%+v in %d bytes: %x, %v", p, room, out, err)
		}
		if _, more := c.Append(nil, math.MaxInt32, p); err == swim.ErrEncode && more != err {
			t.Fatalf("%+v in %d bytes: %v, in more: %v", p, room, err, more)
		}
		return
	}
	data, ok := bytes.CutPrefix(out, []byte("ab"))
	if !ok || len(data) > room || !checkParse(t, c, data) {
		t.Fatalf("%+v in %d bytes: %x", p, room, out)
	}
	got := parsed(t, c, data)
	if diff := difference(got, arriving(p)); diff != "" {
		t.Fatalf("%+v in %d bytes: %s", p, room, diff)
	}
	leftOut(t, c, p, room)
	if again, err := c.Append(nil, math.MaxInt32, got); err != nil || !bytes.Equal(again, data) {
		t.Fatalf("%x is written as %x, %v", data, again, err)
	}
}
