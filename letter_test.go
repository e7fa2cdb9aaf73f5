package selkie

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"github.com/selkie-go/selkie/swim"
)

func letterIDs(t testing.TB) []ID {
	var ids []ID
	for _, at := range []string{"10.0.0.1:7946", "[2001:db8::1]:1", "[fe80::1%7]:65535"} {
		id, err := swim.NewID(netip.MustParseAddrPort(at), 1<<40)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func TestLettersSurviveAndTheirHeaderIsBounded(t *testing.T) {
	for _, from := range letterIDs(t) {
		for _, to := range letterIDs(t) {
			b := appendLetter(nil, letterTell, from, to)
			if len(b) > maxLetterHeader {
				t.Errorf("a header of %d bytes, of at most %d", len(b), maxLetterHeader)
			}
			l, ok := readLetter(append(b, "body"...))
			if !ok || l.kind != letterTell || l.from != from || l.to != to || string(l.body) != "body" {
				t.Errorf("read %+v, %v", l, ok)
			}
			for n := range b {
				if l, ok := readLetter(b[:n]); ok {
					t.Errorf("cut to %d bytes it is %+v", n, l)
				}
			}
		}
	}
}

func TestDescriptionsSurvive(t *testing.T) {
	large := make(map[string]string)
	for i := range 500 {
		large[fmt.Sprint("key-", i)] = fmt.Sprint("value-", i*i)
	}
	for _, tags := range []map[string]string{nil, {"": ""}, {"b": "2", "a": "1"}, large} {
		d := &description{version: 7, name: "näme", keys: []KeyID{{1}, {2, 3, 4, 5}}}
		d.setTags(tags)
		b := d.append(nil)
		got, ok := readDescription(7, b)
		if !ok || !bytes.Equal(got.append(nil), b) || got.name != d.name || len(got.tags) != len(tags) {
			t.Fatalf("%d tags: read %v, %v", len(tags), got, ok)
		}
		if len(b) > 2000 {
			continue // the first 2,000 bytes stand for the rest
		}
		for n := range b {
			if _, ok := readDescription(7, b[:n]); ok {
				t.Errorf("cut to %d bytes it is a description", n)
			}
		}
		if _, ok := readDescription(7, append(b, 0)); ok {
			t.Error("with a byte more it is a description")
		}
	}
	if _, ok := readDescription(0, (&description{}).append(nil)); ok {
		t.Error("version 0 says that there is none")
	}
}

// FuzzReadLetter checks that whatever comes is read without a panic, and that what
// is a description says the same when it is written again.
func FuzzReadLetter(f *testing.F) {
	ids := letterIDs(f)
	d := &description{name: "n", tags: []tag{{"a", "1"}}, keys: []KeyID{{1}}}
	f.Add(appendLetter(nil, letterPing, ids[0], ids[1]))
	f.Add(append(appendLetter(nil, letterAsk, ids[0], ids[1]), appendID(nil, ids[2])...))
	f.Add(append(appendLetter(nil, letterTell, ids[0], ids[1]), d.append(nil)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, ok := readLetter(data)
		if !ok {
			return
		}
		if again := append(appendLetter(nil, l.kind, l.from, l.to), l.body...); len(again) > len(data)+64 {
			t.Fatalf("%x is read as %x", data, again)
		}
		if d, ok := readDescription(1, l.body); ok {
			if again, ok := readDescription(1, d.append(nil)); !ok || again.name != d.name || len(again.tags) != len(d.tags) {
				t.Fatalf("%+v becomes %+v", d, again)
			}
		}
		n := &Node{}
		if err := n.hear(l.from, l.body); err == nil {
			for _, h := range n.heard {
				if h.described == nil {
					t.Fatal("nothing was heard")
				}
			}
		}
		for rest := l.body; len(rest) > 0; {
			_, _, tail, ok := readWanted(rest)
			if !ok {
				break
			}
			rest = tail
		}
	})
}
