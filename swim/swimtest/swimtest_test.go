package swimtest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/selkie-go/selkie/swim"
)

// ids returns identities that differ in everything that the default format
// treats differently.
func ids(t testing.TB) []swim.ID {
	t.Helper()
	var ids []swim.ID
	for _, id := range []struct {
		at  string
		gen uint64
	}{
		{"10.0.0.1:7946", 1_782_864_000_000},
		{"10.0.0.2:7946", 1_782_864_000_001},
		{"10.0.9.2:80", 1_782_000_000_000},
		{"10.9.9.2:1", 1_600_000_000_000},
		{"192.168.7.4:65535", 0},
		{"[2001:db8::1]:7946", 1_782_864_000_000},
		{"[2001:db8::2:1]:7946", math.MaxUint64},
		{"[2001:db8:0:1::2:1]:7946", 7 << 38},
		{"[fe80::1%4294967295]:7946", 1 << 63},
	} {
		got, err := swim.NewID(netip.MustParseAddrPort(id.at), id.gen)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, got)
	}
	return ids
}

func TestReadyMadeIdentityKeepsTheLaws(t *testing.T) {
	all := ids(t)
	last, err := swim.NewID(all[0].Addr().AddrPort(), math.MaxUint64)
	if err != nil {
		t.Fatal(err)
	}
	Identity(t, append(all, last)...)
}

func TestCompactCodecKeepsTheLaws(t *testing.T) {
	Codec(t, swim.Compact(), ids(t)...)
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

func TestPlainCodecKeepsTheLaws(t *testing.T) {
	Codec(t, swim.Plain(appendName, parseName, 41), names()...)
}

// A recorder is a testing.TB that remembers what is reported to it.
type recorder struct {
	testing.TB
	reports []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.reports = append(r.reports, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatal(args ...any) {
	r.reports = append(r.reports, fmt.Sprint(args...))
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// wantReport fails unless check reports something that contains want.
func wantReport(t *testing.T, want string, check func(t testing.TB)) {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		check(r)
	}()
	<-done
	for _, report := range r.reports {
		if strings.Contains(report, want) {
			return
		}
	}
	t.Errorf("no report says %q; there are %d: %.300q", want, len(r.reports), r.reports)
}

// life is an identity whose methods a test can break.
type life struct {
	at, gen  int
	breaking string
}

var flip bool

func (l life) Addr() int {
	if l.breaking == "addr" {
		flip = !flip
		if flip {
			return l.at + 1
		}
	}
	return l.at
}

func (l life) Supersedes(older life) bool {
	switch l.breaking {
	case "itself":
		return l.gen >= older.gen
	case "both":
		return l.gen != older.gen
	case "neither":
		return l.gen > older.gen+1
	case "circle":
		return (l.gen-older.gen+3)%3 == 1
	}
	return l.gen > older.gen
}

func (l life) Renew() (life, bool) {
	switch l.breaking {
	case "renew":
	case "moves":
		l.at++
		l.gen++
	case "circle":
		return l, false
	case "random":
		flip = !flip
		l.gen++
		return l, flip
	default:
		l.gen++
	}
	return l, true
}

func TestBrokenIdentitiesAreReported(t *testing.T) {
	for breaking, want := range map[string]string{
		"addr":    "Addr() is not always the same",
		"itself":  "supersedes itself",
		"both":    "supersede each other",
		"neither": "neither of",
		"circle":  "but the first not the last",
		"renew":   "does not supersede it",
		"moves":   "moves to another address",
		"random":  "Renew() is not always the same",
	} {
		t.Run(breaking, func(t *testing.T) {
			flip = false
			wantReport(t, want, func(t testing.TB) {
				Identity(t, life{1, 0, breaking}, life{1, 1, breaking}, life{1, 2, breaking})
			})
		})
	}
	wantReport(t, "needs an identity", func(t testing.TB) { Identity[swim.ID](t) })
}

// broken is a codec of which one thing is broken.
type broken struct {
	swim.Codec[swim.ID]
	append   func(b []byte, room int, p *swim.Packet[swim.ID]) ([]byte, error)
	parse    func(data []byte, p *swim.Packet[swim.ID]) error
	appendID func(b []byte, id swim.ID) []byte
	header   int
	update   int
}

func (c broken) Append(b []byte, room int, p *swim.Packet[swim.ID]) ([]byte, error) {
	if c.append != nil {
		return c.append(b, room, p)
	}
	return c.Codec.Append(b, room, p)
}

func (c broken) Parse(data []byte, p *swim.Packet[swim.ID]) error {
	if c.parse != nil {
		return c.parse(data, p)
	}
	return c.Codec.Parse(data, p)
}

func (c broken) AppendID(b []byte, id swim.ID) []byte {
	if c.appendID != nil {
		return c.appendID(b, id)
	}
	return c.Codec.AppendID(b, id)
}

func (c broken) MaxHeader() int {
	if c.header != 0 {
		return c.header
	}
	return c.Codec.MaxHeader()
}

func (c broken) MaxUpdate() int {
	if c.update != 0 {
		return c.update
	}
	return c.Codec.MaxUpdate()
}

func TestBrokenCodecsAreReported(t *testing.T) {
	good := swim.Compact()
	type packet = swim.Packet[swim.ID]
	for _, test := range []struct {
		name, want string
		codec      broken
	}{
		{"too little room claimed for headers", "more than MaxHeader", broken{header: 20}},
		{"too little room claimed for updates", "more than MaxUpdate", broken{update: 20}},
		{"identities look the same", "is the same for", broken{appendID: func(b []byte, _ swim.ID) []byte {
			return append(b, 1)
		}}},
		{"identities do not append", "does not append", broken{appendID: func(_ []byte, id swim.ID) []byte {
			return good.AppendID(nil, id)
		}}},
		{"does not append", "does not append", broken{append: func(_ []byte, room int, p *packet) ([]byte, error) {
			return good.Append(nil, room, p)
		}}},
		{"takes more than its room", "bytes takes", broken{append: func(b []byte, room int, p *packet) ([]byte, error) {
			if _, err := good.Append(nil, room, p); err != nil {
				return b, err
			}
			return good.Append(b, room+20, p)
		}}},
		{"gives up at the first that does not fit", "for which there is room", broken{append: func(b []byte, room int, p *packet) ([]byte, error) {
			out, err := good.Append(b, room, p)
			for i := range p.Updates {
				if err == nil && !p.Updates[i].Sent {
					q := *p
					q.Updates = p.Updates[:i]
					for j := range p.Updates[i:] {
						p.Updates[i+j].Sent = false
					}
					return good.Append(b, room, &q)
				}
			}
			return out, err
		}}},
		{"does not say what it sent", "is not Sent", broken{append: func(b []byte, room int, p *packet) ([]byte, error) {
			out, err := good.Append(b, room, p)
			for i := range p.Updates {
				p.Updates[i].Sent = false
			}
			return out, err
		}}},
		{"leaves something behind an error", "behind its error", broken{append: func(b []byte, room int, p *packet) ([]byte, error) {
			out, err := good.Append(b, room, p)
			if err != nil {
				out = append(out, 1)
			}
			return out, err
		}}},
		{"refuses what fits", "of which it needs", broken{append: func(b []byte, room int, p *packet) ([]byte, error) {
			return good.Append(b, room-1, p)
		}}},
		{"ignores padding", "padded to 1000", broken{append: func(b []byte, room int, p *packet) ([]byte, error) {
			q := *p
			q.PadTo = 0
			return good.Append(b, room, &q)
		}}},
		{"forgets payloads", "payloads", broken{parse: func(data []byte, p *packet) error {
			err := good.Parse(data, p)
			p.Payloads = nil
			return err
		}}},
		{"forgets accusers", ": update {", broken{parse: func(data []byte, p *packet) error {
			err := good.Parse(data, p)
			for i := range p.Updates {
				p.Updates[i].By = nil
			}
			return err
		}}},
		{"keeps what was in the packet", "updates, want", broken{parse: func(data []byte, p *packet) error {
			old := append([]swim.Update[swim.ID](nil), p.Updates...)
			err := good.Parse(data, p)
			p.Updates = append(old, p.Updates...)
			return err
		}}},
		{"changes its data", "changes its data", broken{parse: func(data []byte, p *packet) error {
			err := good.Parse(data, p)
			if err == nil {
				data[0] ^= 0xff
			}
			return err
		}}},
		{"panics", "panics", broken{parse: func(data []byte, p *packet) error {
			_ = data[1]
			return good.Parse(data, p)
		}}},
		{"accepts half a packet", "Parse accepts", broken{parse: func(data []byte, p *packet) error {
			if err := good.Parse(data, p); err != nil {
				p.Reset()
			}
			return nil
		}}},
		{"forgets when to say nack", "header", broken{parse: func(data []byte, p *packet) error {
			err := good.Parse(data, p)
			p.Header.NackAfter = 0
			return err
		}}},
		{"forgets the page", "header", broken{parse: func(data []byte, p *packet) error {
			err := good.Parse(data, p)
			p.Header.Page = 0
			return err
		}}},
		{"leaves out what does not belong", "which it does not carry", broken{append: func(b []byte, room int, p *packet) ([]byte, error) {
			q := *p
			if q.Header.Message != swim.MessagePingReq {
				q.Header.NackAfter = 0
			}
			return good.Append(b, room, &q)
		}}},
		{"refuses everything", "Parse refuses what Append wrote", broken{parse: func([]byte, *packet) error {
			return swim.ErrMalformed
		}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.codec.Codec = good
			wantReport(t, test.want, func(t testing.TB) { Codec(t, test.codec, ids(t)...) })
		})
	}
	wantReport(t, "at least 5 identities", func(t testing.TB) { Codec(t, good, ids(t)[:4]...) })
}
