package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/frame"
	"github.com/selkie-go/selkie/transport/sealed"
)

func idAt(t *testing.T, at string, generation uint64) swim.ID {
	t.Helper()
	id, err := swim.NewID(netip.MustParseAddrPort(at), generation)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// somePacket returns a packet that has something of everything, as bytes.
func somePacket(t *testing.T) []byte {
	t.Helper()
	a, b, c := idAt(t, "10.0.0.1:7946", 1_700_000_000_000), idAt(t, "10.0.0.2:7946", 1_700_000_000_001), idAt(t, "[2001:db8::3]:7946", 5)
	p := swim.Packet[swim.ID]{
		Header: swim.Header[swim.ID]{Src: a, Dst: b, SrcIncarnation: 7, Message: swim.MessagePingReq, Number: 42, NackAfter: 400, About: c},
		Updates: []swim.Update[swim.ID]{
			{Member: swim.Member[swim.ID]{ID: c, Incarnation: 3, State: swim.Suspect}, By: []swim.ID{a, b}},
			{Member: swim.Member[swim.ID]{ID: b, State: swim.Left}},
		},
		Payloads: [][]byte{[]byte("hello")},
	}
	data, err := swim.Compact().Append(nil, 1400, &p)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// command runs a command line within this process.
func command(input []byte, args ...string) (code int, out, err string) {
	var stdout, stderr bytes.Buffer
	a := &app{in: bytes.NewReader(input), out: &stdout, err: &stderr}
	code = a.run(args)
	return code, stdout.String(), stderr.String()
}

func TestDecodePrintsEveryField(t *testing.T) {
	digits := hex.EncodeToString(somePacket(t))
	code, out, complaint := command(nil, "decode", digits)
	if code != exitDone || complaint != "" {
		t.Fatalf("exit code %d: %s", code, complaint)
	}
	for _, line := range []string{
		"message ping-req",
		"number 42",
		"nack wanted after 0.4s",
		"from 10.0.0.1:7946 generation 1700000000000 alive 7",
		"to 10.0.0.2:7946 generation 1700000000001",
		"about [2001:db8::3]:7946 generation 5",
		"updates 2",
		"[2001:db8::3]:7946 generation 5 suspect 3, accused by 10.0.0.1:7946 10.0.0.2:7946",
		"10.0.0.2:7946 generation 1700000000001 left",
		"payloads 1",
		"5 bytes 68656c6c6f",
	} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), line) {
			t.Errorf("no %q in\n%s", line, out)
		}
	}
}

func TestDecodeReadsAllForms(t *testing.T) {
	packet := somePacket(t)
	framed := frame.Append(nil, frame.ClusterOf("seals"), 0, packet)
	spaced := strings.ToUpper(strings.ReplaceAll(hex.EncodeToString(packet), "a", "a \n"))
	_, want, _ := command(nil, "decode", "-o", "json", hex.EncodeToString(packet))
	for name, c := range map[string]struct{ input, arg string }{
		"with a prefix":   {"", "0x" + hex.EncodeToString(packet)},
		"spaced":          {"", spaced},
		"digits on stdin": {spaced, "-"},
		"lines and text":  {"0x" + spaced + "\nping-req #42\n", "-"},
		"bytes on stdin":  {string(packet), "-"},
		"framed":          {string(framed), "-"},
		"framed digits":   {"", hex.EncodeToString(framed)},
	} {
		code, out, complaint := command([]byte(c.input), "decode", "--wire", "compact", "-o", "json", c.arg)
		var got, expected decoded
		if code != exitDone || json.Unmarshal([]byte(out), &got) != nil || json.Unmarshal([]byte(want), &expected) != nil {
			t.Errorf("%s: exit code %d: %s", name, code, complaint)
			continue
		}
		if wantFrame := strings.HasPrefix(name, "framed"); (got.Frame != nil) != wantFrame {
			t.Errorf("%s: frame %v", name, got.Frame)
		}
		got.Frame, got.Bytes, expected.Bytes = nil, 0, 0
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(expected)
		if !bytes.Equal(a, b) {
			t.Errorf("%s:\n got %s\nwant %s", name, a, b)
		}
	}
}

func TestDecodeOpensWhatIsSealed(t *testing.T) {
	key := selkie.NewKey()
	path := filepath.Join(t.TempDir(), "key")
	if err := createKeyFile(path, key); err != nil {
		t.Fatal(err)
	}
	box, err := sealed.New(1, sealed.Config[string]{Cluster: "default", Keys: []selkie.Key{key}, Random: func(b []byte) { clear(b) }})
	if err != nil {
		t.Fatal(err)
	}
	digits := func(channel uint8) string {
		return hex.EncodeToString(box.Seal(nil, 1, sealed.Party[string]{}, channel, somePacket(t)))
	}
	code, out, complaint := command(nil, "decode", "--key-file", path, digits(0))
	if code != exitDone || !strings.Contains(out, "ping-req") {
		t.Errorf("exit code %d: %s%s", code, out, complaint)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{digits(0)}, exitUsage, "key " + key.ID().String() + ", session 0000000000000000, number "},
		{[]string{"--key-file", path, "--cluster", "red", digits(0)}, exitFailed, "refused: cluster"},
		{[]string{"--key-file", path, digits(1)}, exitFailed, "a letter between nodes"},
		{[]string{"--key-file", path, digits(0)[:100]}, exitFailed, "refused: "},
	} {
		code, out, complaint := command(nil, append([]string{"decode"}, c.args...)...)
		if code != c.code || !strings.Contains(complaint, c.says) || out != "" {
			t.Errorf("%v: exit code %d, want %d; said %q", c.args, code, c.code, complaint)
		}
	}
}

func TestDecodeSaysWhatIsWrong(t *testing.T) {
	packet := somePacket(t)
	damaged := frame.Append(nil, frame.ClusterOf("seals"), 0, packet)
	damaged[len(damaged)-1] ^= 1
	for _, c := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"odd digits", []string{"abc"}, exitUsage, "hexadecimal"},
		{"no digits", []string{"xyzz"}, exitUsage, "hexadecimal"},
		{"nothing", []string{""}, exitFailed, "not a packet"},
		{"cut", []string{hex.EncodeToString(packet[:len(packet)-7])}, exitFailed, "not a packet"},
		{"cut frame", []string{"2000"}, exitFailed, "cut short"},
		{"damaged frame", []string{hex.EncodeToString(damaged)}, exitFailed, "checksum"},
		{"another version", []string{"ff" + hex.EncodeToString(packet)}, exitFailed, "not a packet"},
		{"another format", []string{"--wire", "morse", "00"}, exitUsage, "must be one of compact"},
		{"no argument", nil, exitUsage, "accepts 1 arg"},
	} {
		code, out, complaint := command(nil, append([]string{"decode"}, c.args...)...)
		if code != c.code || !strings.Contains(complaint, c.says) || out != "" {
			t.Errorf("%s: exit code %d, want %d; said %q", c.name, code, c.code, complaint)
		}
	}
}
