package swim

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Package swimtest, whose tests try both codecs, holds the laws. The tests
// here are about the bytes of each, and about what laws can not say: sizes,
// memory, and forms that must be refused one by one.

// strangeIDs are identities at the edges of what can be written.
func strangeIDs() []ID {
	var ids []ID
	for _, at := range []string{
		"10.1.2.3:7946", "10.1.2.4:7946", "10.1.3.4:7946", "0.0.0.1:1", "223.255.255.255:65535",
		"[2001:db8::1]:7946", "[2001:db8::2]:7946", "[2001:db8:1::1]:1", "[::1]:65535",
		"[fe80::1%1]:7946", "[fe80::1%4294967295]:7946", "[fe80::1]:7946",
	} {
		for _, gen := range []uint64{
			0, 1, math.MaxUint64, 1 << 63, generationEpoch, populationNow,
			populationNow + 1<<23 - 1, populationNow + 1<<23, populationNow - 1<<23, populationNow - 1<<23 - 1,
			populationNow + 1<<31 - 1, populationNow + 1<<31, populationNow - 1<<31, populationNow - 1<<31 - 1,
			populationNow + 1<<39 - 1, populationNow + 1<<39, populationNow - 1<<39, populationNow - 1<<39 - 1,
		} {
			ids = append(ids, mustID(at, gen))
		}
	}
	return ids
}

// randomPacket returns a packet that can be sent. Among ids may be several of
// one address.
func randomPacket(rnd *rand.Rand, ids []ID) *Packet[ID] {
	pick := func() ID { return ids[rnd.IntN(len(ids))] }
	p := &Packet[ID]{Header: Header[ID]{
		Src: pick(), Dst: pick(), SrcIncarnation: Incarnation(randomUint(rnd)),
		SrcState: State(3 * rnd.UintN(2)), SrcMetadata: randomUint(rnd),
	}}
	h := &p.Header
	for !h.Message.Valid() || rnd.UintN(numMessages) != 0 {
		h.Message = Message(rnd.UintN(numMessages))
	}
	if h.Message.HasNumber() {
		h.Number = uint32(randomUint(rnd))
	}
	if h.Message.HasAbout() {
		h.About = pick()
	}
	if h.Message == MessagePingReq {
		h.NackAfter = uint32(randomUint(rnd))
	}
	if h.Message.hasPages() {
		h.Page = uint32(randomUint(rnd))
	}
	if h.Message == MessageTurnUndead {
		h.AboutIncarnation = Incarnation(randomUint(rnd))
	}
	if h.Message.HasUpdates() {
		for range rnd.IntN(40) {
			p.Updates = append(p.Updates, randomUpdate(rnd, pick))
		}
	}
	if h.Message.HasPayloads() {
		for range rnd.IntN(4) {
			p.Payloads = append(p.Payloads, bytes.Repeat([]byte{byte(rnd.Uint())}, 1+rnd.IntN(300)))
		}
	}
	return p
}

func randomUpdate(rnd *rand.Rand, pick func() ID) Update[ID] {
	u := Update[ID]{Member: Member[ID]{
		ID: pick(), State: State(rnd.UintN(numStates)),
		Incarnation: Incarnation(randomUint(rnd)), Metadata: randomUint(rnd),
	}}
	if !u.Active() {
		u.Remaining = uint32(randomUint(rnd))
	}
	if accusable(u.State) {
		for range rnd.IntN(MaxAccusers + 1) {
			if id := pick(); id.addr != u.ID.addr && !containsAddr(u.By, id.addr) {
				u.By = append(u.By, id)
			}
		}
	}
	return u
}

// randomUint returns 0 often, and otherwise a number of any length.
func randomUint(rnd *rand.Rand) uint64 {
	if rnd.UintN(2) == 0 {
		return 0
	}
	return rnd.Uint64() >> rnd.UintN(64)
}

// samePacket reports whether what travels of two packets is the same; of sent
// only the updates that were.
func samePacket(sent, got *Packet[ID]) bool {
	updates := slices.DeleteFunc(slices.Clone(sent.Updates), func(u Update[ID]) bool { return !u.Sent })
	return sent.Header == got.Header && got.PadTo == 0 &&
		slices.EqualFunc(sent.Payloads, got.Payloads, bytes.Equal) &&
		slices.EqualFunc(updates, got.Updates, func(a, b Update[ID]) bool {
			return a.Member == b.Member && a.Remaining == b.Remaining && slices.Equal(a.By, b.By)
		})
}

// testCodecs are both codecs for one identity, with a way to write it that has
// forms which must be refused.
func testCodecs() map[string]Codec[ID] {
	return map[string]Codec[ID]{"compact": Compact(), "plain": plainTestCodec()}
}

// plainTestCodec writes address, port, zone and generation as uvarints.
func plainTestCodec() Codec[ID] {
	return Plain(
		func(b []byte, id ID) []byte {
			for _, v := range [...]uint64{id.addr.hi, id.addr.lo, uint64(id.addr.port), uint64(id.addr.zone), id.gen} {
				b = binary.AppendUvarint(b, v)
			}
			return b
		},
		func(data []byte) (id ID, size int, err error) {
			var values [5]uint64
			for i := range values {
				v, n := binary.Uvarint(data[size:])
				if n <= 0 {
					return ID{}, 0, errNoIdentity
				}
				values[i] = v
				size += n
			}
			addr := Addr{hi: values[0], lo: values[1], port: uint32(values[2]), zone: uint32(values[3])}
			if !addr.valid() {
				return ID{}, 0, errNoIdentity
			}
			return ID{addr: addr, gen: values[4]}, size, nil
		},
		3*lenLong+3+lenNumber,
	)
}

var errNoIdentity = errors.New("no identity")

// Rule 104.
func TestRandomPacketsSurviveInAnyRoom(t *testing.T) {
	for name, c := range testCodecs() {
		t.Run(name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			ids := strangeIDs()
			var got Packet[ID]
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
				if err := c.Parse(data, &got); err != nil {
					t.Fatalf("%+v in %d bytes: %v", p, room, err)
				}
				if !samePacket(p, &got) {
					t.Fatalf("got\n%+v, sent\n%+v", got, p)
				}
			}
		})
	}
}

func TestDamagedPacketsAreRefusedOrMeanWhatTheySay(t *testing.T) {
	for name, c := range testCodecs() {
		t.Run(name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(3, 4))
			ids := strangeIDs()
			accepted := 0
			for range 3000 {
				data, err := c.Append(nil, math.MaxInt32, randomPacket(rnd, ids))
				if err != nil {
					t.Fatal(err)
				}
				for range 1 + rnd.IntN(3) {
					switch at := rnd.IntN(len(data)); rnd.UintN(3) {
					case 0:
						data[at] = byte(rnd.Uint())
					case 1:
						data = slices.Delete(data, at, min(at+1+rnd.IntN(3), len(data)))
					case 2:
						data = slices.Insert(data, at, byte(rnd.Uint()))
					}
					if len(data) == 0 {
						break
					}
				}
				if checkParse(t, c, data) {
					accepted++
				}
			}
			if accepted < 50 {
				t.Errorf("only %d damaged packets were accepted, too few to say anything", accepted)
			}
		})
	}
}

// checkParse checks that data are refused with nothing left behind, or that
// what they say is written as the same bytes; and returns which.
func checkParse(t *testing.T, c Codec[ID], data []byte) bool {
	t.Helper()
	var p, again Packet[ID]
	if err := c.Parse(data, &p); err != nil {
		if err != ErrMalformed {
			t.Errorf("the error of %x is %v, want the bare ErrMalformed", data, err)
		}
		if p.Header != (Header[ID]{}) || len(p.Updates)+len(p.Payloads)+len(p.Accusers)+p.Unknown != 0 {
			t.Errorf("%x was refused and left %+v", data, p)
		}
		return false
	}
	out, err := c.Append(nil, math.MaxInt32, &p)
	if err != nil {
		t.Fatalf("%x was accepted as %+v and can not be written: %v", data, p, err)
	}
	if err := c.Parse(out, &again); err != nil || !samePacket(&p, &again) {
		t.Fatalf("%x was accepted as\n%+v, written as %x and read as\n%+v, %v", data, p, out, again, err)
	}
	rest, ok := bytes.CutPrefix(data, out)
	zeros := p.Header.Message == MessageAnnounce && len(bytes.Trim(rest, "\x00")) == 0
	if p.Unknown == 0 && (!ok || len(rest) > 0 && !zeros) {
		t.Fatalf("%x was accepted as %+v and written as %x", data, p, out)
	}
	return true
}

func TestAppendAndParseDoNotAllocate(t *testing.T) {
	for name, c := range testCodecs() {
		t.Run(name, func(t *testing.T) {
			var got Packet[ID]
			buf := make([]byte, 0, 1400)
			for _, s := range []State{Alive, Suspect, Down, Left} {
				p := benchPacket(population, s, 1)
				p.Updates = append(p.Updates, p.Updates...) // more than fit
				p.Payloads = [][]byte{[]byte("payload")}
				if name == "plain" {
					// It writes where there is no room, and takes that back.
					buf = slices.Grow(buf, 1400+c.MaxUpdate())
				}
				if n := testing.AllocsPerRun(100, func() { buf, _ = c.Append(buf[:0], 1400, p) }); n != 0 {
					t.Errorf("Append with %v updates allocates %v times", s, n)
				}
				if n := testing.AllocsPerRun(100, func() {
					if err := c.Parse(buf, &got); err != nil {
						t.Fatal(err)
					}
				}); n != 0 {
					t.Errorf("Parse with %v updates allocates %v times", s, n)
				}
				if !samePacket(p, &got) {
					t.Errorf("got %+v, want %+v", got, p)
				}
			}
		})
	}
}

func TestAppendAndParseOfErrorsDoNotAllocate(t *testing.T) {
	c := Compact()
	p := benchPacket(population, Suspect, 1)
	data, err := c.Append(nil, 1400, p)
	if err != nil {
		t.Fatal(err)
	}
	var got Packet[ID]
	if err := c.Parse(data, &got); err != nil {
		t.Fatal(err)
	}
	short := data[:len(data)-1]
	if n := testing.AllocsPerRun(100, func() {
		if c.Parse(short, &got) == nil {
			t.Fatal("a shortened packet was accepted")
		}
	}); n != 0 {
		t.Errorf("refusing a packet allocates %v times", n)
	}
	buf := make([]byte, 0, 10)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := c.Append(buf, 10, p); err != ErrTooBig {
			t.Fatalf("error %v, want the bare ErrTooBig", err)
		}
	}); n != 0 {
		t.Errorf("failing to append allocates %v times", n)
	}
}

// The claimed length of a count or payload must not become memory.
func TestNoMemoryIsTakenForWhatIsOnlyDeclared(t *testing.T) {
	for name, c := range testCodecs() {
		data, err := c.Append(nil, 1400, goldenPackets()[slices.IndexFunc(goldenPackets(), func(p *Packet[ID]) bool {
			return p.Header.Message == MessageFeed
		})])
		if err != nil {
			t.Fatal(err)
		}
		header, err := c.Append(nil, 1400, &Packet[ID]{Header: Header[ID]{
			Src: mustID("10.1.2.3:7946", populationNow-90_000), Dst: mustID("10.1.7.8:7946", populationNow), Message: MessageFeed,
		}})
		if err != nil {
			t.Fatal(err)
		}
		binary.LittleEndian.PutUint16(data[len(header)-lenCount:], maxCount)
		var p Packet[ID]
		if err := c.Parse(data, &p); err != ErrMalformed {
			t.Errorf("%s: a count beyond the updates: %v", name, err)
		}
		if cap(p.Updates) > 16 {
			t.Errorf("%s: a count of %d made room for %d updates", name, maxCount, cap(p.Updates))
		}
	}
}

func TestDefaultFormatReachesTheSizes(t *testing.T) {
	for _, test := range []struct {
		name                 string
		of                   func(int, *rand.Rand) []Member[ID]
		alive, accused, ping int
	}{
		{"lan", population, 140, 130, 28},
		{"any", anyPopulation, 95, 90, 34},
	} {
		for seed := range uint64(20) {
			for _, s := range []State{Alive, Suspect, Down} {
				least := test.accused
				if s == Alive {
					least = test.alive
				}
				if n := countSent(benchPacket(test.of, s, seed).Updates); n < least {
					t.Errorf("%s: %d %v updates fit a packet, want %d", test.name, n, s, least)
				}
			}
			members := test.of(2, rand.New(rand.NewPCG(seed, 9)))
			p := &Packet[ID]{Header: Header[ID]{
				Message: MessagePing, Src: members[0].ID, Dst: members[1].ID, SrcIncarnation: 127, Number: 1<<21 - 1,
			}}
			if data, err := Compact().Append(nil, 1400, p); err != nil || len(data) > test.ping {
				t.Errorf("%s: a ping takes %d bytes, want %d; error %v", test.name, len(data), test.ping, err)
			}
		}
	}
}

// worstPacket returns a packet that takes as many bytes as one with a single
// update and a single payload can.
func worstPacket(m Message) *Packet[ID] {
	far := func(i int) ID {
		return mustID(fmt.Sprintf("[fe8%d::1%%9]:%d", i, 1+i), uint64(i)<<61)
	}
	p := &Packet[ID]{Header: Header[ID]{
		Message: m, Src: far(0), Dst: far(1), SrcState: Left, SrcMetadata: math.MaxUint64, SrcIncarnation: math.MaxUint64,
	}}
	h := &p.Header
	if m.HasNumber() {
		h.Number = math.MaxUint32
	}
	if m.HasAbout() {
		h.About = far(2)
	}
	if m == MessagePingReq {
		h.NackAfter = math.MaxUint32
	}
	if m.hasPages() {
		h.Page = math.MaxUint32
	}
	if m == MessageTurnUndead {
		h.AboutIncarnation = math.MaxUint64
	}
	if m.HasPayloads() {
		p.Payloads = [][]byte{make([]byte, maxLength)}
	}
	if m.HasUpdates() {
		p.Updates = []Update[ID]{{
			Member:    Member[ID]{ID: far(3), State: Down, Incarnation: math.MaxUint64, Metadata: math.MaxUint64},
			By:        []ID{far(4), far(5), far(6), far(7)},
			Remaining: math.MaxUint32,
		}}
	}
	return p
}

// The bounds are what a user of the codec reckons with, so they must hold; and
// every byte too many is a byte that payloads do not get.
func TestBoundsOfTheDefaultFormatAreReachedAndNotPassed(t *testing.T) {
	c := Compact()
	header, update := 0, 0
	for m := range Message(numMessages) {
		if !m.Valid() {
			continue
		}
		p := worstPacket(m)
		all, err := c.Append(nil, math.MaxInt32, p)
		if err != nil {
			t.Fatalf("%v: %v", m, err)
		}
		bare := *p
		bare.Updates = nil
		without, err := c.Append(nil, math.MaxInt32, &bare)
		if err != nil {
			t.Fatalf("%v: %v", m, err)
		}
		size := len(without)
		for _, item := range p.Payloads {
			size -= len(item)
		}
		header, update = max(header, size), max(update, len(all)-len(without))
	}
	if header != c.MaxHeader() {
		t.Errorf("the longest header takes %d bytes, MaxHeader is %d", header, c.MaxHeader())
	}
	if update != c.MaxUpdate() {
		t.Errorf("the longest update takes %d bytes, MaxUpdate is %d", update, c.MaxUpdate())
	}
}

func TestUpdatesDoNotDependOnTheReceiver(t *testing.T) {
	p := benchPacket(population, Suspect, 1)
	var bodies [][]byte
	for _, dst := range []ID{p.Header.Dst, mustID("[2001:db8::1]:1", 5), mustID("10.0.0.1:7946", populationNow)} {
		p.Header.Dst = dst
		bare := *p
		bare.Updates = nil
		header, err := Compact().Append(nil, 5000, &bare)
		if err != nil {
			t.Fatal(err)
		}
		all, err := Compact().Append(nil, 5000, p)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, all[len(header):])
	}
	if !bytes.Equal(bodies[0], bodies[1]) || !bytes.Equal(bodies[0], bodies[2]) {
		t.Error("updates differ with the receiver")
	}
}

func TestAccusersBeyondTheNumbersAreIntroducedAgain(t *testing.T) {
	members := population(maxNamed+40, rand.New(rand.NewPCG(5, 6)))
	p := &Packet[ID]{Header: Header[ID]{Message: MessageGossip, Src: members[0].ID, Dst: members[1].ID}}
	accused := members[2]
	accused.State = Suspect
	for range 2 {
		for _, m := range members[3:] {
			p.Updates = append(p.Updates, Update[ID]{Member: accused, By: []ID{m.ID}})
		}
	}
	data, err := Compact().Append(nil, math.MaxInt32, p)
	if err != nil {
		t.Fatal(err)
	}
	var got Packet[ID]
	if err := Compact().Parse(data, &got); err != nil {
		t.Fatal(err)
	}
	if !samePacket(p, &got) {
		t.Error("accusers changed on the way")
	}
	half := len(p.Updates) / 2
	p.Updates = p.Updates[:half]
	first, err := Compact().Append(nil, math.MaxInt32, p)
	if err != nil {
		t.Fatal(err)
	}
	known, again := maxNamed*7, (half-maxNamed)*14
	if second := len(data) - len(first); second < known || second > known+again+2*half {
		t.Errorf("naming everybody once more took %d bytes", second)
	}
}

func TestNoMoreUpdatesAreSentThanCanBeCounted(t *testing.T) {
	u := Update[ID]{Member: Member[ID]{ID: mustID("10.1.2.4:7946", populationNow)}}
	for name, c := range testCodecs() {
		p := &Packet[ID]{
			Header:  Header[ID]{Message: MessageFeed, Src: mustID("10.1.2.3:7946", populationNow), Dst: mustID("10.1.2.5:7946", 1)},
			Updates: slices.Repeat([]Update[ID]{u}, maxCount+2),
		}
		data, err := c.Append(nil, math.MaxInt32, p)
		if err != nil {
			t.Fatal(err)
		}
		var got Packet[ID]
		if err := c.Parse(data, &got); err != nil || len(got.Updates) != maxCount || countSent(p.Updates) != maxCount {
			t.Errorf("%s: %d updates arrived, %d were sent, %v", name, len(got.Updates), countSent(p.Updates), err)
		}
	}
}

func TestWhatCanNotBeSaidIsAnError(t *testing.T) {
	src, dst, other := mustID("10.1.2.3:7946", 1), mustID("10.1.2.4:7946", 1), mustID("10.1.2.5:7946", 1)
	accused := func(s State, by ...ID) []Update[ID] {
		return []Update[ID]{{Member: Member[ID]{ID: other, State: s}, By: by}}
	}
	for _, test := range []struct {
		name string
		want error
		mar  func(p *Packet[ID])
	}{
		{"no message", ErrEncode, func(p *Packet[ID]) { p.Header.Message = 12 }},
		{"the last number of a message", ErrEncode, func(p *Packet[ID]) { p.Header.Message = 15 }},
		{"a number of more bits", ErrEncode, func(p *Packet[ID]) { p.Header.Message = 16 }},
		{"nack after without a request", ErrEncode, func(p *Packet[ID]) { p.Header.NackAfter = 1 }},
		{"nack after of a nack", ErrEncode, func(p *Packet[ID]) {
			p.Header.Message, p.Header.About, p.Header.NackAfter = MessageNack, other, 1
		}},
		{"a page of what is no list", ErrEncode, func(p *Packet[ID]) { p.Header.Page = 1 }},
		{"a page of a nack", ErrEncode, func(p *Packet[ID]) {
			p.Header.Message, p.Header.About, p.Header.Page = MessageNack, other, 1
		}},
		{"sender suspect", ErrEncode, func(p *Packet[ID]) { p.Header.SrcState = Suspect }},
		{"number without a probe", ErrEncode, func(p *Packet[ID]) { p.Header.Number = 1 }},
		{"about without a third", ErrEncode, func(p *Packet[ID]) { p.Header.About = other }},
		{"incarnation of nobody", ErrEncode, func(p *Packet[ID]) { p.Header.AboutIncarnation = 1 }},
		{"padding elsewhere", ErrEncode, func(p *Packet[ID]) { p.PadTo = 100 }},
		{"updates with a broadcast", ErrEncode, func(p *Packet[ID]) {
			p.Header.Message = MessageBroadcast
			p.Updates = accused(Alive)
		}},
		{"payloads with an announce", ErrEncode, func(p *Packet[ID]) {
			p.Header.Message = MessageAnnounce
			p.Payloads = [][]byte{{1}}
		}},
		{"empty payload", ErrEncode, func(p *Packet[ID]) { p.Payloads = [][]byte{{}} }},
		{"endless payload", ErrTooBig, func(p *Packet[ID]) { p.Payloads = [][]byte{make([]byte, maxLength+1)} }},
		{"no such state", ErrEncode, func(p *Packet[ID]) { p.Updates = accused(numStates) }},
		{"accused alive", ErrEncode, func(p *Packet[ID]) { p.Updates = accused(Alive, src) }},
		{"accused left", ErrEncode, func(p *Packet[ID]) { p.Updates = accused(Left, src) }},
		{"accuses itself", ErrEncode, func(p *Packet[ID]) { p.Updates = accused(Down, src, other) }},
		{"accused twice by one", ErrEncode, func(p *Packet[ID]) { p.Updates = accused(Suspect, src, src) }},
		{"too many accusers", ErrEncode, func(p *Packet[ID]) {
			var by []ID
			for i := range MaxAccusers + 1 {
				by = append(by, mustID(fmt.Sprintf("10.9.9.%d:1", i), 1))
			}
			p.Updates = accused(Down, by...)
		}},
		{"remaining of the living", ErrEncode, func(p *Packet[ID]) {
			p.Updates = accused(Suspect)
			p.Updates[0].Remaining = 1
		}},
	} {
		for name, c := range testCodecs() {
			p := &Packet[ID]{Header: Header[ID]{Message: MessageGossip, Src: src, Dst: dst}}
			p.Updates = append(p.Updates, Update[ID]{Member: Member[ID]{ID: dst}})
			good := p.Updates[0]
			test.mar(p)
			if len(p.Updates) > 0 {
				p.Updates = slices.Insert(p.Updates, 0, good)
			}
			out, err := c.Append([]byte("ab"), 1<<22, p)
			if err != test.want || string(out) != "ab" {
				t.Errorf("%s, %s: %q and error %v, want %v", test.name, name, out, err, test.want)
			}
			if countSent(p.Updates) > 0 {
				t.Errorf("%s, %s: an update counts as sent", test.name, name)
			}
		}
	}
}

func TestIdentitiesWithoutAnAddressAreNotSent(t *testing.T) {
	good := mustID("10.1.2.3:7946", 1)
	accuser := mustID("10.1.2.9:7946", 1)
	for name, mar := range map[string]func(p *Packet[ID]){
		"src":     func(p *Packet[ID]) { p.Header.Src = ID{} },
		"dst":     func(p *Packet[ID]) { p.Header.Dst = ID{} },
		"about":   func(p *Packet[ID]) { p.Header.About = ID{} },
		"update":  func(p *Packet[ID]) { p.Updates[0].ID = ID{} },
		"accuser": func(p *Packet[ID]) { p.Updates[0].By = []ID{{}} },
	} {
		p := &Packet[ID]{
			Header:  Header[ID]{Message: MessagePingReq, Src: good, Dst: good, About: good},
			Updates: []Update[ID]{{Member: Member[ID]{ID: good, State: Down}, By: []ID{accuser}}},
		}
		mar(p)
		if _, err := Compact().Append(nil, 1400, p); err != ErrEncode {
			t.Errorf("%s: error %v, want %v", name, err, ErrEncode)
		}
	}
}

func TestCanonicalBytesTellIdentitiesApart(t *testing.T) {
	for name, c := range testCodecs() {
		seen := make(map[string]ID)
		for _, id := range strangeIDs() {
			b := string(c.AppendID(nil, id))
			if other, ok := seen[b]; ok {
				t.Errorf("%s: %v and %v have the same bytes", name, id, other)
			}
			seen[b] = id
		}
	}
}

// unhex reads hex with blanks in it.
func unhex(t *testing.T, s string) []byte {
	t.Helper()
	data, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Parts of a packet in canonical form: a gossip from 10.1.2.3:7946 to
// 10.1.7.8:7946, and an update about 10.1.2.9, started at the same moment as
// the sender.
const (
	wireSrc    = " 50 0a010203 0a1f 7054f81adf  00 "
	wireDst    = " 08 0708 905f01 "
	wireGossip = "01 09" + wireSrc + wireDst + " 0100 "
	wireThird  = " 24 090004 904b8ef0 " // another accuser, behind an update about 10.1.2.9
)

func TestFormsThatAreWellFormedAreAccepted(t *testing.T) {
	for name, packet := range map[string]string{
		"IPv6 sharing 4":                "01 09" + wireSrc + wireDst + "0200 80 01 20010db8000000000000000000000001 000000 00 04 000000010000000000000001 000000 00",
		"IPv6 sharing 12":               "01 09" + wireSrc + wireDst + "0200 80 01 20010db8000000000000000000000001 000000 00 0c 00000002 000000 00",
		"alive":                         wireGossip + "0c 09 000000 00",
		"accused by sender":             wireGossip + "0d 09 000000 00 00",
		"accused by nobody":             wireGossip + "0d 09 000000 00 7e",
		"accused by a third":            wireGossip + "0e 09 000000 00 7f" + wireThird,
		"accused by both":               wireGossip + "0e 09 000000 00 80 7f" + wireThird,
		"accused by a number":           "01 09" + wireSrc + wireDst + "0200 0d 09 000000 00 7f" + wireThird + "05 010209 000000 00 01",
		"generation of 4":               wireGossip + "2c 09 00008000 00",
		"generation of 5":               wireGossip + "4c 09 0000008000 00",
		"generation of 8":               wireGossip + "6c 09 0000000080000000 00",
		"another port":                  wireGossip + "1c 09 0b1f 000000 00",
		"IPv6":                          wireGossip + "80 01 20010db8000000000000000000000001 000000 00",
		"IPv6 with zone":                wireGossip + "80 03 fe800000000000000000000000000001 01000000 000000 00",
		"metadata":                      wireGossip + "8c 04 09 000000 00  03 01 01 05",
		"remaining":                     wireGossip + "8e 04 09 000000 00 00  03 02 01 05",
		"both, and an unknown":          wireGossip + "8f 04 09 000000 00  0a 01 01 05 02 01 05 09 02 0102",
		"payloads":                      "01 89" + wireSrc + wireDst + "0000 01 00 02 0102",
		"sender's metadata":             "01 49" + wireSrc + wireDst + "03 01 01 05 0000",
		"nack":                          "01 37" + wireSrc + wireDst + "05 04 090004 000000 0000",
		"nack after":                    "01 72" + wireSrc + wireDst + "05 04 090004 000000 04 02 02 9003 0000",
		"nack after, metadata":          "01 72" + wireSrc + wireDst + "05 04 090004 000000 06 01 01 05 02 01 05 0000",
		"nack after, elsewhere unknown": "01 50" + wireSrc + wireDst + "05 03 02 01 05 0000",
		"padding":                       "01 06" + wireSrc + wireDst + "00000000",
	} {
		for _, data := range withPayload(unhex(t, packet)) {
			if !checkParse(t, Compact(), data) {
				t.Errorf("%s: %x is refused", name, data)
			}
		}
	}
}

// withPayload returns a packet, and if it is a gossip without payloads the
// same with one. What has enough bytes behind it is read in a shorter way.
func withPayload(data []byte) [][]byte {
	all := [][]byte{data}
	if len(data) > 1 && data[1] == 0x09 {
		longer := append(bytes.Clone(data), 32)
		longer[1] = 0x89
		all = append(all, append(longer, make([]byte, 32)...))
	}
	return all
}

// Every value has one form. Each of these differs from an accepted packet in
// one thing.
func TestOtherFormsAreMalformed(t *testing.T) {
	for name, packet := range map[string]string{
		"nothing":               "",
		"only a version":        "01",
		"version 0":             "00 09" + wireSrc + wireDst + "0000",
		"version 2":             "02 09" + wireSrc + wireDst + "0000",
		"message 12":            "01 0c" + wireSrc + wireDst + "0000",
		"message 13":            "01 3d" + wireSrc + wireDst + "05 04 090004 000000 0000",
		"message 15":            "01 0f" + wireSrc + wireDst,
		"nack without a number": "01 27" + wireSrc + wireDst + "04 090004 000000 0000",
		"nack about nobody":     "01 17" + wireSrc + wireDst + "05 0000",
		"number not flagged":    "01 00" + wireSrc + wireDst + "05 0000",
		"number of a gossip":    "01 19" + wireSrc + wireDst + "05 0000",
		"about not flagged":     "01 12" + wireSrc + wireDst + "05 04 090004 000000 0000",
		"payloads of announce":  "01 86" + wireSrc + wireDst + "01 00",
		"payloads of undead":    "01 ab" + wireSrc + wireDst + "0c 08 905f01 04 01 00",
		"payloads flag alone":   "01 89" + wireSrc + wireDst + "0000",
		"payloads not flagged":  "01 09" + wireSrc + wireDst + "0000 05 00",
		"no count":              "01 09" + wireSrc + wireDst,
		"half a count":          "01 09" + wireSrc + wireDst + "00",
		"count too high":        "01 09" + wireSrc + wireDst + "0200 0c 09 000000 00",
		"count too low":         "01 09" + wireSrc + wireDst + "0000 0c 09 000000 00",
		"number of 33 bits":     "01 10" + wireSrc + wireDst + "8080808010 0000",
		"number too long":       "01 10" + wireSrc + wireDst + "8500 0000",
		"padding not zero":      "01 06" + wireSrc + wireDst + "00000100",
		"padding of a gossip":   "01 09" + wireSrc + wireDst + "0000 00",
		"padding of undead":     "01 2b" + wireSrc + wireDst + "0c 08 905f01 04 00",
		"sender suspect":        "01 09 51 0a010203 0a1f 7054f81adf 00" + wireDst + "0000",
		"sender down":           "01 09 52 0a010203 0a1f 7054f81adf 00" + wireDst + "0000",
		"sender with options":   "01 09 d0 04 0a010203 0a1f 7054f81adf 00" + wireDst + "0000",
		"sender without a port": "01 09 40 0a010203 7054f81adf 00" + wireDst + "0000",
		"receiver with a state": "01 09" + wireSrc + "0b 0708 905f01 0000",
		"receiver with options": "01 09" + wireSrc + "88 04 0708 905f01 0000",
		"third with a state":    "01 2b" + wireSrc + wireDst + "0d 08 905f01 04",

		"second control byte 0":    wireGossip + "8c 00 09 000000 00",
		"unassigned control bit":   wireGossip + "8c 08 09 000000 00",
		"shares more than it says": wireGossip + "08 0209 000000 00",
		"shares nothing it says":   wireGossip + "00 0a010209 000000 00",
		"port as before":           wireGossip + "1c 09 0a1f 000000 00",
		"port 0":                   wireGossip + "1c 09 0000 000000 00",
		"generation fits 3":        wireGossip + "2c 09 ffff7f00 00",
		"negative one fits 3":      wireGossip + "2c 09 000080ff 00",
		"generation fits 4":        wireGossip + "4c 09 ffffff7f00 00",
		"negative one fits 4":      wireGossip + "4c 09 00000080ff 00",
		"generation fits 5":        wireGossip + "6c 09 ffffffff7f000000 00",
		"negative one fits 5":      wireGossip + "6c 09 0000000080ffffff 00",
		"address 0.0.0.0":          wireGossip + "00 00000000 000000 00",
		"multicast address":        wireGossip + "00 e0000001 000000 00",
		"reserved address":         wireGossip + "00 f0000001 000000 00",
		"zone of IPv4":             wireGossip + "8c 02 09 01000000 000000 00",
		"IPv4 as IPv6":             wireGossip + "80 01 00000000000000000000ffff0a010209 000000 00",
		"far IPv4 as IPv6":         wireGossip + "80 01 00000000000000000000ffff0b010209 000000 00",
		"address ::":               wireGossip + "80 01 00000000000000000000000000000000 000000 00",
		"multicast IPv6":           wireGossip + "80 01 ff020000000000000000000000000001 000000 00",
		"IPv6 shares with IPv4":    wireGossip + "84 01 000000000000000000000001 000000 00",
		"zone 0":                   wireGossip + "80 03 fe800000000000000000000000000001 00000000 000000 00",
		"IPv6 shares 4 more":       "01 09" + wireSrc + wireDst + "0200 80 01 20010db8000000000000000000000001 000000 00 00 20010db8000000010000000000000001 000000 00",
		"IPv6 shares more":         "01 09" + wireSrc + wireDst + "0200 80 01 20010db8000000000000000000000001 000000 00 08 0000000000000002 000000 00",

		"incarnation too long":  wireGossip + "0c 09 000000 8000",
		"incarnation too large": wireGossip + "0c 09 000000 ffffffffffffffffff02",
		"no incarnation":        wireGossip + "0c 09 000000",

		"no accuser":                wireGossip + "0d 09 000000 00",
		"nobody and another":        wireGossip + "0d 09 000000 00 fe 00",
		"another one, nobody":       wireGossip + "0d 09 000000 00 80 7e",
		"number not introduced":     wireGossip + "0d 09 000000 00 01",
		"last number":               wireGossip + "0d 09 000000 00 7d",
		"sender twice":              wireGossip + "0d 09 000000 00 80 00",
		"sender introduced":         wireGossip + "0d 09 000000 00 7f 0c 03 000000",
		"sender accuses itself":     wireGossip + "0d 03 000000 00 00",
		"accuses itself":            wireGossip + "0d 09 000000 00 7f 0c 09 000000",
		"known accuser of itself":   "01 09" + wireSrc + wireDst + "0200 0d 09 000000 00 7f" + wireThird + "2d 04 904b8ef0 00 01",
		"earlier life of itself":    wireGossip + "0d 09 000000 00 7f 0c 09 ffffff",
		"earlier life of sender":    wireGossip + "0d 09 000000 00 80 7f 0c 03 ffffff",
		"accuser with a state":      wireGossip + "0d 09 000000 00 7f 25 090004 904b8ef0",
		"accuser with options":      wireGossip + "0d 09 000000 00 7f a4 04 090004 904b8ef0",
		"accuser named twice":       wireGossip + "0d 09 000000 00 ff" + wireThird + "01",
		"accuser introduced twice":  "01 09" + wireSrc + wireDst + "0200 0d 09 000000 00 7f" + wireThird + "05 010209 000000 00 7f" + wireThird,
		"a fifth accuser":           wireGossip + "0d 09 000000 00 80 ff 0c 0a 000000 ff 0c 0b 000000 ff 0c 0c 000000 7f 0c 0d 000000",
		"accuser is not there":      wireGossip + "0d 09 000000 00 7f",
		"accuser of an alive one":   wireGossip + "0c 09 000000 00 00",
		"accuser of one that left":  wireGossip + "0f 09 000000 00 00",
		"options are empty":         wireGossip + "8c 04 09 000000 00 00",
		"options are not there":     wireGossip + "8c 04 09 000000 00",
		"options end too early":     wireGossip + "8c 04 09 000000 00  02 01 01 05",
		"options end too late":      wireGossip + "8c 04 09 000000 00  04 01 01 05",
		"options, length too long":  wireGossip + "8c 04 09 000000 00  8300 01 01 05",
		"tags descend":              wireGossip + "8e 04 09 000000 00 00  06 02 01 05 01 01 05",
		"tag twice":                 wireGossip + "8c 04 09 000000 00  06 01 01 05 01 01 05",
		"unknown tag twice":         wireGossip + "8c 04 09 000000 00  04 09 00 09 00",
		"unknown field overruns":    wireGossip + "8c 04 09 000000 00  03 09 02 00",
		"metadata 0":                wireGossip + "8c 04 09 000000 00  03 01 01 00",
		"metadata empty":            wireGossip + "8c 04 09 000000 00  02 01 00",
		"metadata too long":         wireGossip + "8c 04 09 000000 00  04 01 02 8500",
		"metadata and more":         wireGossip + "8c 04 09 000000 00  04 01 02 0500",
		"remaining 0":               wireGossip + "8e 04 09 000000 00 00  03 02 01 00",
		"remaining of 33 bits":      wireGossip + "8e 04 09 000000 00 00  07 02 05 8080808010",
		"remaining of an alive one": wireGossip + "8c 04 09 000000 00  03 02 01 05",
		"remaining of a suspect":    wireGossip + "8d 04 09 000000 00 00  03 02 01 05",
		"sender's metadata 0":       "01 49" + wireSrc + wireDst + "03 01 01 00 0000",
		"sender's options empty":    "01 49" + wireSrc + wireDst + "00 0000",
		"nack after 0":              "01 72" + wireSrc + wireDst + "05 04 090004 000000 03 02 01 00 0000",
		"nack after of 33 bits":     "01 72" + wireSrc + wireDst + "05 04 090004 000000 07 02 05 8080808010 0000",
		"nack after too long":       "01 72" + wireSrc + wireDst + "05 04 090004 000000 04 02 02 8500 0000",
		"nack after before version": "01 72" + wireSrc + wireDst + "05 04 090004 000000 06 02 01 05 01 01 05 0000",

		"payload empty":           "01 89" + wireSrc + wireDst + "0000 00",
		"second payload empty":    "01 89" + wireSrc + wireDst + "0000 01 00 00",
		"payload overruns":        "01 89" + wireSrc + wireDst + "0000 02 00",
		"payload length too long": "01 89" + wireSrc + wireDst + "0000 8100 00",
		"payload length of 4":     "01 89" + wireSrc + wireDst + "0000 80808001 00",
	} {
		for _, data := range withPayload(unhex(t, packet)) {
			if checkParse(t, Compact(), data) {
				t.Errorf("%s: %x is accepted", name, data)
			}
		}
	}
}

func TestUnknownFieldsAreSkippedAndCounted(t *testing.T) {
	var p Packet[ID]
	data := unhex(t, "01 49"+wireSrc+wireDst+"09 01 01 05 07 00 08 02 0102  0100 8e 04 09 000000 00 00  06 02 01 05 03 01 ff")
	if err := Compact().Parse(data, &p); err != nil {
		t.Fatal(err)
	}
	if p.Unknown != 3 || p.Header.SrcMetadata != 5 || p.Updates[0].Remaining != 5 {
		t.Errorf("%d unknown fields of %+v", p.Unknown, p)
	}
}

func TestPlainCodecRefusesWhatItWouldNotWrite(t *testing.T) {
	c := plainTestCodec()
	const id, other = " 00 838284d0f0ff3f 8a3e 00 01 ", " 00 848284d0f0ff3f 8a3e 00 01 "
	const third = " 00 858284d0f0ff3f 8a3e 00 01 "
	const five = " 00 868284d0f0ff3f 8a3e 00 01  00 878284d0f0ff3f 8a3e 00 01  00 888284d0f0ff3f 8a3e 00 01 "
	good := "02 09 00" + id + "00" + other + "0100"
	for name, packet := range map[string]string{
		"alive":   good + "00" + third + "00",
		"accused": good + "05" + third + "00" + id,
		"options": good + "20" + third + "00 03 01 01 05",
	} {
		if !checkParse(t, c, unhex(t, packet)) {
			t.Errorf("%s: %s is refused", name, packet)
		}
	}
	for name, packet := range map[string]string{
		"nothing":                 "",
		"version 1":               "01 09 00" + id + "00" + other + "0000",
		"message 12":              "02 3c 00" + id + "00" + other + "05" + third + "0000",
		"sender suspect":          "02 09 01" + id + "00" + other + "0000",
		"no such state":           "02 09 04" + id + "00" + other + "0000",
		"identity in another way": "02 09 00 8000 838284d0f0ff3f 8a3e 00 01 00" + other + "0000",
		"unassigned head bit":     good + "40" + third + "00",
		"accused alive":           good + "04" + third + "00" + id,
		"accused left":            good + "07" + third + "00" + id,
		"five accusers":           good + "15" + third + "00" + id + other + five,
		"accused twice":           good + "09" + third + "00" + id + id,
		"accuses itself":          good + "05" + third + "00" + third,
		"accuser missing":         good + "09" + third + "00" + id,
		"remaining of alive":      good + "20" + third + "00 03 02 01 05",
		"count too low":           "02 09 00" + id + "00" + other + "0000 00",
	} {
		if checkParse(t, c, unhex(t, packet)) {
			t.Errorf("%s: %s is accepted", name, packet)
		}
	}
}

// The owner's functions are not trusted either.
func TestPlainCodecSurvivesFunctionsThatBreakTheirContract(t *testing.T) {
	one := func(b []byte, id uint8) []byte { return append(b, id) }
	p := &Packet[uint8]{Header: Header[uint8]{Src: 1, Dst: 2, Message: MessageGossip}}
	data, err := Plain(one, func(b []byte) (uint8, int, error) { return b[0], 1, nil }, 1).Append(nil, 100, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{-1, 0, 2, math.MaxInt} {
		c := Plain(one, func([]byte) (uint8, int, error) { return 1, n, nil }, 1)
		if err := c.Parse(data, new(Packet[uint8])); err != ErrMalformed {
			t.Errorf("an identity of %d bytes: %v", n, err)
		}
	}
	two := func(b []byte, id uint8) []byte { return append(b, id, id) }
	parseTwo := func(b []byte) (uint8, int, error) { return b[0], min(2, len(b)), nil }
	if data, err = Plain(two, parseTwo, 2).Append(nil, 100, p); err != nil {
		t.Fatal(err)
	}
	for maxID, want := range map[int]error{1: ErrMalformed, 2: nil} {
		if err := Plain(two, parseTwo, maxID).Parse(data, new(Packet[uint8])); err != want {
			t.Errorf("identities of 2 bytes, %d at most: %v, want %v", maxID, err, want)
		}
	}
	for _, size := range []int{0, 2} {
		c := Plain(func(b []byte, id uint8) []byte { return append(b, make([]byte, size)...) }, nil, 1)
		if out, err := c.Append(nil, 100, p); err != ErrEncode || out != nil {
			t.Errorf("an identity written as %d bytes: %x, %v", size, out, err)
		}
	}
}

// The document draws the bytes of the golden ping one by one.
func TestDocumentDrawsTheGoldenPing(t *testing.T) {
	document, err := os.ReadFile(filepath.Join("..", "docs", "protocol.md"))
	if err != nil {
		t.Fatal(err)
	}
	ping, err := os.ReadFile(filepath.Join("testdata", "wire", "ping.hex"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(ping)) {
		if !strings.Contains(string(document), strings.TrimSpace(line)) {
			t.Errorf("docs/protocol.md does not hold this line of the golden ping: %s", line)
		}
	}
}

func FuzzCompactParse(f *testing.F) { fuzzParse(f, Compact()) }

func FuzzPlainParse(f *testing.F) { fuzzParse(f, plainTestCodec()) }

func fuzzParse(f *testing.F, c Codec[ID]) {
	packets := goldenPackets()
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 10 {
		packets = append(packets, randomPacket(rnd, strangeIDs()))
	}
	for _, p := range packets {
		data, err := c.Append(nil, math.MaxInt32, p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkParse(t, c, data) })
}
