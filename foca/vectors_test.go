package foca

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/selkie-go/selkie/swim"
)

// A vector is what foca itself wrote, and what it was told to write.
type vector struct {
	Kind           string // header, member or packet
	Message        string
	Src, Dst, ID   vectorID
	SrcIncarnation swim.Incarnation `json:"src_incarnation"`
	Incarnation    swim.Incarnation
	State          string
	Detail, What   string
	Means          string // of a live one, how the packet is printed here
	Hex            string
}

// A vectorID is an identity as an array of address and bump.
type vectorID struct{ swim.ID }

func (id *vectorID) UnmarshalJSON(data []byte) error {
	var parts [2]json.RawMessage
	var at string
	var bump uint64
	for _, err := range []error{
		json.Unmarshal(data, &parts), json.Unmarshal(parts[0], &at), json.Unmarshal(parts[1], &bump),
	} {
		if err != nil {
			return err
		}
	}
	id.ID = mustID(at, bump)
	return nil
}

func vectors(t testing.TB) []vector {
	t.Helper()
	all := append(vectorsOf(t, "foca-wire.json"), vectorsOf(t, "foca-live.json")...)
	if len(all) != 18+14 {
		t.Fatalf("there are %d vectors", len(all))
	}
	return all
}

func vectorsOf(t testing.TB, name string) []vector {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Vectors
}

// packet returns a packet that holds the bytes of the vector, at its end.
func (v vector) packet() []byte {
	data := unhex(v.Hex)
	if v.Kind == "member" {
		return slices.Concat(unhex(wireHead+"08 0001"), data)
	}
	return data
}

func TestVectorsAreReadAndWrittenAsTheSameBytes(t *testing.T) {
	c := Bincode()
	for _, v := range vectors(t) {
		data := v.packet()
		got := parsed(t, c, data)
		want := data
		if v.Kind == "header" && got.Header.Message.HasUpdates() {
			want = append(want, 0, 0) // foca writes the count apart from the header
		}
		if out, err := c.Append(nil, len(want), got); err != nil || !bytes.Equal(out, want) {
			t.Errorf("%v: written as\n%x, %v, want\n%x", v, out, err, want)
		}
	}
}

func TestVectorsMeanWhatFocaMeant(t *testing.T) {
	ipv6, far := mustID("[2001:db8::1]:80", 300), mustID("192.168.0.9:250", 70000)
	wants := map[string]header{
		"Ping":         {Message: swim.MessagePing, Number: 3},
		"Ack":          {Message: swim.MessageAck, Number: 255},
		"PingReq":      {Message: swim.MessagePingReq, Number: 9, About: ipv6},
		"IndirectPing": {Message: swim.MessageIndirectPing, Number: 9, About: ipv6},
		"IndirectAck":  {Message: swim.MessageIndirectAck, Number: 9, About: ipv6},
		"ForwardedAck": {Message: swim.MessageForwardedAck, Number: 251, About: far},
		"Announce":     {Message: swim.MessageAnnounce},
		"Feed":         {Message: swim.MessageFeed},
		"Gossip":       {Message: swim.MessageGossip},
		"Broadcast":    {Message: swim.MessageBroadcast},
		"TurnUndead":   {Message: swim.MessageTurnUndead, AboutIncarnation: 65535},
	}
	states := map[string]swim.State{"Alive": swim.Alive, "Suspect": swim.Suspect, "Down": swim.Down}
	for _, v := range vectors(t) {
		got := parsed(t, Bincode(), v.packet())
		switch v.Kind {
		case "header":
			want, ok := wants[v.Message]
			delete(wants, v.Message)
			want.Src, want.Dst, want.SrcIncarnation = v.Src.ID, v.Dst.ID, v.SrcIncarnation
			if v.Message == "TurnUndead" {
				want.About = want.Dst
			}
			if !ok || got.Header != want {
				t.Errorf("%s: got %+v, want %+v", v.Detail, got.Header, want)
			}
		case "member":
			want := member{ID: v.ID.ID, Incarnation: v.Incarnation, State: states[v.State]}
			if len(got.Updates) != 1 || got.Updates[0].Member != want {
				t.Errorf("got %v, want %v", got.Updates, want)
			}
		}
	}
	if len(wants) > 0 {
		t.Errorf("no vector for %v", wants)
	}
}

func TestPacketsOfFocaMeanWhatItMeant(t *testing.T) {
	want := map[string]string{
		"announce to 10.1.2.3:65535": "announce",
		"gossip to [2001:db8::1]:80 carrying three updates (2001:db8::1 suspect incarnation 5, 192.168.0.9:250 alive 0, 10.9.9.9:9 down 2)": "" +
			"gossip [[2001:db8::1]:80#300 suspect 5, 192.168.0.9:250#70000 alive 0, 10.9.9.9:9#1 down 2]",
		"feed to 10.1.2.3:65535 carrying the two active members": "" +
			"feed [192.168.0.9:250#70000 alive 0, [2001:db8::1]:80#300 suspect 5]",
	}
	for _, v := range vectors(t) {
		if v.Means != "" {
			want[v.What] = v.Means
		}
		if v.Kind != "packet" {
			continue
		}
		if got := fmt.Sprint(parsed(t, Bincode(), v.packet())); got != want[v.What] {
			t.Errorf("%s: got %s", v.What, got)
		}
		delete(want, v.What)
	}
	if len(want) > 0 {
		t.Errorf("no vector for %v", want)
	}
}

func TestDamagedVectorsAreRefusedOrMeanWhatTheySay(t *testing.T) {
	c := Bincode()
	for _, v := range vectors(t) {
		data := v.packet()
		for n := range data {
			checkParse(t, c, slices.Clip(data[:n]))
		}
		for i := range data {
			changed := bytes.Clone(data)
			for range 255 {
				changed[i]++
				checkParse(t, c, changed)
			}
		}
		for more := range 256 {
			if checkParse(t, c, append(slices.Clip(data), byte(more))) {
				t.Errorf("%v with %#02x behind it is accepted", v, more)
			}
		}
	}
}

// A foca that has payloads to tell puts them behind the vectors that can carry
// them.
func TestPayloadsBehindVectors(t *testing.T) {
	c := Bincode()
	item := []byte("told by the owner")
	framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(item))), item...)
	for _, v := range vectors(t) {
		got := parsed(t, c, v.packet())
		data, err := c.Append(nil, 1400, got)
		if err != nil {
			t.Fatal(err)
		}
		data = append(data, framed...)
		ok := checkParse(t, c, data)
		if ok != got.Header.Message.HasPayloads() {
			t.Errorf("%v with a payload: accepted %v", got, ok)
		}
		if !ok {
			continue
		}
		if all := parsed(t, c, data).Payloads; !bytes.Equal(all[len(all)-1], item) {
			t.Errorf("%v: the payload changed", got)
		}
	}
}
