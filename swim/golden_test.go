package swim

import (
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rewrite makes golden tests write what they find instead of comparing it.
var rewrite = flag.Bool("rewrite", false, "write the golden files of testdata anew")

// golden compares text with a file of testdata, or writes it with -rewrite.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", filepath.FromSlash(name))
	if *rewrite {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; with -rewrite it is written", err)
	}
	if got != string(want) {
		t.Errorf("%s has changed:\n%s\nwant:\n%s", path, got, want)
	}
}

// goldenPackets are packets of every message, by the name of their file.
func goldenPackets() []*Packet[ID] {
	a := mustID("10.1.2.3:7946", populationNow-90_000)
	b := mustID("10.1.7.8:7946", populationNow)
	c := mustID("10.9.0.4:7946", populationNow-3*day)
	d := mustID("[2001:db8::5]:7947", populationNow-40*day)
	e := mustID("[fe80::5%2]:7947", 1)
	alive := Update[ID]{Member: Member[ID]{ID: c, Incarnation: 3}}
	news := []Update[ID]{
		alive,
		{Member: Member[ID]{ID: b, Incarnation: 300, State: Suspect}, By: []ID{a, c}},
		{Member: Member[ID]{ID: d, State: Down}, By: []ID{c, e}, Remaining: 60_000},
		{Member: Member[ID]{ID: e, State: Left, Metadata: 7}},
		{Member: Member[ID]{ID: c, State: Down}},
	}
	said := [][]byte{[]byte("seal"), []byte("skin")}
	packets := []*Packet[ID]{
		{Header: Header[ID]{Message: MessagePing, Number: 5}, Updates: []Update[ID]{alive, {
			Member: Member[ID]{ID: mustID("10.1.2.9:7946", populationNow-60_000), State: Suspect}, By: []ID{a},
		}}},
		{Header: Header[ID]{Message: MessageAck, Number: 5, SrcIncarnation: 2, SrcMetadata: 300,
			Digest: Digest{Sum: 0x0102030405060708, Members: 1000, Settled: true}}},
		{Header: Header[ID]{Message: MessagePingReq, Number: 5, NackAfter: 400, About: c}, Updates: news},
		{Header: Header[ID]{Message: MessageIndirectPing, Number: 5, About: c}},
		{Header: Header[ID]{Message: MessageIndirectAck, Number: 5, About: c}},
		{Header: Header[ID]{Message: MessageForwardedAck, Number: 5, About: c}},
		{Header: Header[ID]{Message: MessageAnnounce, Page: 1}, PadTo: 64},
		{Header: Header[ID]{Message: MessageNack, Number: 5, About: c}},
		{Header: Header[ID]{Message: MessageFeed, Page: 300}, Updates: news[:2]},
		{Header: Header[ID]{Message: MessageGossip, SrcState: Left}, Updates: news, Payloads: said},
		{Header: Header[ID]{Message: MessageBroadcast}, Payloads: said},
		{Header: Header[ID]{Message: MessageTurnUndead, About: b, AboutIncarnation: 4}},
		{Header: Header[ID]{Message: MessageSync, Number: 9}, Payloads: [][]byte{
			appendCells(nil, testSketchKey, 0, sketchOf(2, []uint64{1, 2, 3}).cells, false),
		}},
		{Header: Header[ID]{Message: MessageDiff, Number: 9}, Updates: news[:1], Payloads: [][]byte{appendSymbols(nil, []uint64{1, 2})}},
		{Header: Header[ID]{Message: MessageRecords, Number: 9}, Updates: news[2:4]},
	}
	for _, p := range packets {
		p.Header.Src, p.Header.Dst = a, b
	}
	return packets
}

// A golden packet is lines of hex, and then what Packet.String says of what
// Parse makes of them.
func TestGoldenPacketsStayAsTheyAre(t *testing.T) {
	for _, p := range goldenPackets() {
		data, err := Compact().Append(nil, 1400, p)
		if err != nil {
			t.Fatalf("%v: %v", p, err)
		}
		var got Packet[ID]
		if err := Compact().Parse(data, &got); err != nil {
			t.Fatalf("%v: %v", p, err)
		}
		golden(t, "wire/"+p.Header.Message.String()+".hex", hexLines(data)+got.String()+"\n")
	}
}

func TestEveryMessageHasAGoldenPacket(t *testing.T) {
	seen := make(map[Message]bool)
	for _, p := range goldenPackets() {
		seen[p.Header.Message] = true
	}
	for m := range Message(numMessages) {
		if m.Valid() && !seen[m] {
			t.Errorf("%v has no golden packet", m)
		}
	}
}

// hexLines writes data as hex, 16 bytes a line.
func hexLines(data []byte) string {
	var b strings.Builder
	for i, c := range data {
		switch {
		case i == 0:
		case i%16 == 0:
			b.WriteByte('\n')
		default:
			b.WriteByte(' ')
		}
		b.WriteString(hex.EncodeToString([]byte{c}))
	}
	b.WriteByte('\n')
	return b.String()
}
