package foca

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/selkie-go/selkie/swim"
)

// checkParse checks that data are refused with nothing left behind, or that
// what they say can be written and read again; and returns which. It is
// written as the same bytes, apart from two things: a count that was absent,
// and a goodbye that stood elsewhere than in front, or at another incarnation.
func checkParse[ID comparable](t *testing.T, c swim.Codec[ID], data []byte) bool {
	t.Helper()
	before := bytes.Clone(data)
	p := used[ID]()
	err := c.Parse(data, p)
	if !bytes.Equal(before, data) {
		t.Fatalf("%x was changed", before)
	}
	if err != nil {
		if err != swim.ErrMalformed {
			t.Fatalf("the error of %x is %v, want the bare ErrMalformed", data, err)
		}
		if diff := difference(p, new(swim.Packet[ID])); diff != "" {
			t.Fatalf("%x was refused and left %s", data, diff)
		}
		return false
	}
	out, err := c.Append(nil, math.MaxInt32, p)
	if err != nil || countSent(p) != len(p.Updates) {
		t.Fatalf("%x was accepted as %+v and can not be written: %v", data, p, err)
	}
	if diff := difference(parsed(t, c, out), arriving(p)); diff != "" {
		t.Fatalf("%x was accepted as\n%+v, written as %x and read with\n%s", data, p, out, diff)
	}
	counted := p.Header.Message.HasUpdates() && bytes.Equal(out, append(bytes.Clone(data), 0, 0))
	if !bytes.Equal(out, data) && !counted && p.Header.SrcState != swim.Left {
		t.Fatalf("%x was accepted as %+v and written as %x", data, p, out)
	}
	return true
}

// unhex reads hex with blanks in it.
func unhex(s string) []byte {
	data, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return data
}

// Parts of a packet: identities, a header of 10.1.2.3:80 at incarnation 3 to
// 10.1.2.4:80 up to the message, and updates.
const (
	wireSrc   = " 00 0a010203 50 07 "
	wireDst   = " 00 0a010204 50 08 "
	wireThird = " 01 20010db8000000000000000000000001 50 09 "
	wireHead  = wireSrc + "03" + wireDst
	wireAlive = wireThird + "05 00 "
	wireBye   = wireSrc + "03 02 "
)

var (
	idSrc   = mustID("10.1.2.3:80", 7)
	idDst   = mustID("10.1.2.4:80", 8)
	idThird = mustID("[2001:db8::1]:80", 9)
)

func TestFormsThatAreWellFormedAreAccepted(t *testing.T) {
	for name, wire := range map[string]string{
		"ping":                wireHead + "00 ff 0000",
		"ping without count":  wireHead + "00 ff",
		"ping-req":            wireHead + "02" + wireThird + "05 0000",
		"announce":            wireHead + "06",
		"feed":                wireHead + "07 0001" + wireAlive,
		"gossip":              wireHead + "08 0000",
		"broadcast":           wireHead + "09",
		"broadcast, payload":  wireHead + "09 0001 ff",
		"broadcast, two":      wireHead + "09 0001 ff 0002 0102",
		"turn-undead":         wireHead + "0a",
		"update":              wireHead + "08 0001" + wireAlive,
		"updates of one":      wireHead + "08 0002" + wireAlive + wireAlive,
		"payload":             wireHead + "08 0000 0001 00",
		"update and payload":  wireHead + "08 0001" + wireAlive + "0001 00",
		"goodbye":             wireHead + "08 0001" + wireBye,
		"goodbye and update":  wireHead + "08 0002" + wireBye + wireAlive,
		"goodbye and payload": wireHead + "08 0001" + wireBye + "0001 00",
		"about its sender":    wireHead + "08 0001" + wireSrc + "04 01",
		"long incarnation":    wireSrc + "fb ffff" + wireDst + "08 0000",
	} {
		if !checkParse(t, Bincode(), unhex(wire)) {
			t.Errorf("%s: %s is refused", name, wire)
		}
	}
}

// Each of these differs from an accepted packet in one thing.
func TestOtherFormsAreMalformed(t *testing.T) {
	for name, wire := range map[string]string{
		"nothing":                     "",
		"no message":                  wireHead,
		"message 11":                  wireHead + "0b 0000",
		"message in three bytes":      wireHead + "fb 0800 0000",
		"ping without number":         wireHead + "00",
		"ping-req about nobody":       wireHead + "02",
		"ping-req without number":     wireHead + "02" + wireThird,
		"half a count":                wireHead + "08 00",
		"count too high":              wireHead + "08 0002" + wireAlive,
		"count too low":               wireHead + "08 0000" + wireAlive,
		"count of all that there are": wireHead + "08 ffff" + wireAlive,
		"state 3":                     wireHead + "08 0001" + wireThird + "05 03",
		"state in three bytes":        wireHead + "08 0001" + wireThird + "05 fb 0200",
		"no state":                    wireHead + "08 0001" + wireThird + "05",
		"announce with a count":       wireHead + "06 0000",
		"announce with a byte":        wireHead + "06 00",
		"announce with a payload":     wireHead + "06 0001 00",
		"turn-undead with a count":    wireHead + "0a 0000",
		"turn-undead with a byte":     wireHead + "0a 00",
		"turn-undead with a payload":  wireHead + "0a 0001 00",
		"broadcast with a count":      wireHead + "09 0000",
		"broadcast with a byte":       wireHead + "09 00",
		"payload of length 0":         wireHead + "08 0000 0000",
		"second payload of length 0":  wireHead + "08 0000 0001 00 0000",
		"payload cut off":             wireHead + "08 0000 0002 00",
		"one byte left over":          wireHead + "08 0000 0001 00 00",
		"two bytes left over":         wireHead + "08 0000 0001 00 0001",
		"incarnation above 65,535":    wireSrc + "fc 00000100" + wireDst + "08 0000",
		"incarnation in five bytes":   wireSrc + "fc 03000000" + wireDst + "08 0000",
		"incarnation in three bytes":  wireSrc + "fb fa00" + wireDst + "08 0000",
		"incarnation cut off":         wireSrc + "fb 0001",
		"254":                         wireSrc + "fe" + wireDst + "08 0000",
		"255":                         wireSrc + "ff" + wireDst + "08 0000",
		"sender without an address":   "00 00000000 50 07 03" + wireDst + "08 0000",
		"receiver without a port":     wireSrc + "03 00 0a010204 00 08 08 0000",
		"third is multicast":          wireHead + "02 00 e0000001 50 09 05 0000",
		"update about nobody":         wireHead + "08 0001 02 05 00",
	} {
		if checkParse(t, Bincode(), unhex(wire)) {
			t.Errorf("%s: %s is accepted", name, wire)
		}
	}
}

// foca says goodbye at incarnation 0, among the updates that it has to tell.
// Down is final to it whatever the incarnation.
func TestGoodbyeIsFoundWhereverItStands(t *testing.T) {
	const zero, far = wireSrc + "00 02", wireSrc + "fb ffff 02"
	for name, wire := range map[string]string{
		"first":                 "0002" + wireBye + wireAlive,
		"last":                  "0002" + wireAlive + wireBye,
		"at incarnation 0":      "0002" + zero + wireAlive,
		"at 0, last":            "0002" + wireAlive + zero,
		"at a high incarnation": "0002" + far + wireAlive,
		"again and again":       "0004" + far + wireBye + wireAlive + zero,
	} {
		data := unhex(wireHead + "08" + wire + "0001 2a")
		checkParse(t, Bincode(), data)
		got := parsed(t, Bincode(), data)
		want := &packet{
			Header: header{
				Message: swim.MessageGossip, Src: idSrc, Dst: idDst, SrcIncarnation: 3, SrcState: swim.Left,
			},
			Updates:  []update{{Member: member{ID: idThird, Incarnation: 5}}},
			Payloads: [][]byte{{0x2a}},
		}
		if diff := difference(got, want); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		out, err := Bincode().Append(nil, 1400, got)
		if want := unhex(wireHead + "08 0002" + wireBye + wireAlive + "0001 2a"); err != nil || !bytes.Equal(out, want) {
			t.Errorf("%s: written as %x, %v, want %x", name, out, err, want)
		}
	}
}

func TestOtherUpdatesAboutTheSenderAreNoGoodbye(t *testing.T) {
	for _, wire := range []string{
		wireSrc + "03 00", wireSrc + "03 01", wireSrc + "09 01", // the same identity, alive and suspect
		"00 0a010203 50 06 03 02", "00 0a010203 50 08 03 02", // other lives at its address
		wireDst + "03 02",
	} {
		got := parsed(t, Bincode(), unhex(wireHead+"08 0001"+wire))
		if got.Header.SrcState != swim.Alive || len(got.Updates) != 1 {
			t.Errorf("%s is taken for a goodbye: %v", wire, got)
		}
	}
}

func TestTurnUndeadIsAboutItsReceiver(t *testing.T) {
	got := parsed(t, Bincode(), unhex(wireHead+"0a"))
	want := header{
		Message: swim.MessageTurnUndead, Src: idSrc, SrcIncarnation: 3,
		Dst: idDst, About: idDst, AboutIncarnation: 65535,
	}
	if got.Header != want {
		t.Errorf("got %+v, want %+v", got.Header, want)
	}
}

func TestPayloadsPointIntoTheData(t *testing.T) {
	data := unhex(wireHead + "09 0001 ff 0002 0102")
	got := parsed(t, Bincode(), data)
	data[len(data)-1] = 0x2a
	if len(got.Payloads) != 2 || string(got.Payloads[0]) != "\xff" || string(got.Payloads[1]) != "\x01\x2a" {
		t.Errorf("payloads %x", got.Payloads)
	}
	_ = append(got.Payloads[0], 0xbb)
	if data[len(data)-4] != 0x00 {
		t.Error("who appends to a payload writes into the next")
	}
}

// The claimed length of a count or payload must not become memory.
func TestNoMemoryIsTakenForWhatIsOnlyDeclared(t *testing.T) {
	var p packet
	for _, wire := range []string{"08 ffff" + wireAlive, "09 ffff 00"} {
		if err := Bincode().Parse(unhex(wireHead+wire), &p); err != swim.ErrMalformed {
			t.Errorf("%s: %v", wire, err)
		}
	}
	if cap(p.Updates) > 16 || cap(p.Payloads) > 16 {
		t.Errorf("room for %d updates and %d payloads", cap(p.Updates), cap(p.Payloads))
	}
}

func TestDamagedPacketsAreRefusedOrMeanWhatTheySay(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 9))
	c, ids := Bincode(), strangeIDs()
	accepted := 0
	for range 3000 {
		data, err := c.Append(nil, math.MaxInt32, randomPacket(rnd, ids))
		if err != nil {
			t.Fatal(err)
		}
		for range 1 + rnd.IntN(3) {
			data = damaged(rnd, data)
		}
		if checkParse(t, c, data) {
			accepted++
		}
	}
	if accepted < 50 {
		t.Errorf("only %d damaged packets were accepted, too few to say anything", accepted)
	}
}

// damaged changes a byte, cuts some out or puts one in.
func damaged(rnd *rand.Rand, data []byte) []byte {
	at := rnd.IntN(len(data) + 1)
	head, tail := data[:at:at], data[at:]
	switch rnd.UintN(3) {
	case 0:
		tail = tail[min(1, len(tail)):]
	case 1:
		return append(head, tail[min(1+rnd.IntN(3), len(tail)):]...)
	}
	return append(append(head, byte(rnd.Uint())), tail...)
}

func FuzzParse(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.packet())
	}
	rnd := rand.New(rand.NewPCG(10, 11))
	for range 20 {
		data, err := Bincode().Append(nil, math.MaxInt32, randomPacket(rnd, strangeIDs()))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checkParse(t, Bincode(), data)
		checkParse(t, nameCodec(), data)
	})
}
