package sealed

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

// dialled returns the ends of a stream, with what they said to each other.
func dialled(t testing.TB, dialler, acceptor *Streams) (d, a *Records, g Greeting, reply [DiallerSize]byte) {
	t.Helper()
	g = acceptor.Greet(randomness(1))
	reply, d, err := dialler.Dial(g, randomness(2))
	if err != nil {
		t.Fatal(err)
	}
	a, err = acceptor.Accept(g, reply)
	if err != nil {
		t.Fatal(err)
	}
	return d, a, g, reply
}

// ends are those of a stream under keyA.
func ends(t testing.TB) (d, a *Records) {
	s := newPeer(t, alice, 1).Streams()
	d, a, _, _ = dialled(t, s, s)
	return d, a
}

// read opens a copy of a record.
func (r *Records) read(record []byte) (payload []byte, final bool, err error) {
	record = bytes.Clone(record)
	return r.Open([RecordHeader]byte(record), record[RecordHeader:])
}

func wantRecord(t *testing.T, r *Records, record []byte, want string, last bool) {
	t.Helper()
	n, err := r.Body([RecordHeader]byte(record))
	if err != nil || n != len(record)-RecordHeader {
		t.Fatalf("the body is %d bytes, %v; want %d", n, err, len(record)-RecordHeader)
	}
	payload, final, err := r.read(record)
	if err != nil || string(payload) != want || final != last {
		t.Fatalf("%q, final %t, %v; want %q, %t", payload, final, err, want, last)
	}
}

// wantEnd checks that a record is refused, and everything after it.
func wantEnd(t *testing.T, r *Records, record, good []byte) {
	t.Helper()
	for _, record := range [][]byte{record, good} {
		if payload, final, err := r.read(record); err != ErrStream || payload != nil || final {
			t.Fatalf("%q, final %t, %v", payload, final, err)
		}
	}
	if _, err := r.Body([RecordHeader]byte(good)); err != ErrStream {
		t.Fatalf("it goes on: %v", err)
	}
}

func TestStreamCarriesRecordsBothWays(t *testing.T) {
	d, a := ends(t)
	for _, way := range []struct{ from, to *Records }{{d, a}, {a, d}} {
		for _, size := range []int{0, 1, 40, 1350, MaxRecord} {
			text := string(bytes.Repeat([]byte{'x'}, size))
			wantRecord(t, way.to, way.from.Seal(nil, []byte(text), false), text, false)
		}
		if got := way.from.Seal([]byte("kept"), []byte("hello"), false); string(got[:4]) != "kept" {
			t.Errorf("%q was in front", got[:4])
		} else {
			wantRecord(t, way.to, got[4:], "hello", false)
		}
	}
	// An end is that of one direction.
	wantRecord(t, a, d.Seal(nil, []byte("bye"), true), "bye", true)
	wantRecord(t, d, a.Seal(nil, []byte("you too"), false), "you too", false)
	wantRecord(t, d, a.Seal(nil, nil, true), "", true)
}

func TestEndOfStreamIsToldFromTruncation(t *testing.T) {
	d, a := ends(t)
	wantRecord(t, a, d.Seal(nil, []byte("one"), false), "one", false) // nobody said that this is all
	last := d.Seal(nil, []byte("two"), true)
	// Nobody can take the mark away, or add one.
	for _, final := range []bool{true, false} {
		from, to := ends(t)
		record := from.Seal(nil, []byte("one"), final)
		wantEnd(t, to, flipped(record, 7), record)
	}
	wantRecord(t, a, last, "two", true)
	wantEnd(t, a, d.Seal(nil, []byte("three"), false), d.Seal(nil, nil, true)) // nothing comes after the end
}

func TestRecordsOutOfOrderAreRefused(t *testing.T) {
	records := func() (r [][]byte) {
		d, _ := ends(t)
		for i := range 4 {
			r = append(r, d.Seal(nil, fmt.Append(nil, "record ", i), i == 3))
		}
		return r
	}()
	for _, test := range []struct {
		name  string
		order []int // the last one must be refused
	}{
		{"replayed", []int{0, 0}},
		{"replayed later", []int{0, 1, 0}},
		{"dropped", []int{1}},
		{"dropped later", []int{0, 2}},
		{"swapped", []int{0, 1, 3}},
		{"after the end", []int{0, 1, 2, 3, 3}},
	} {
		_, a := ends(t) // the same stream, as its randomness is the same
		last := len(test.order) - 1
		for _, i := range test.order[:last] {
			wantRecord(t, a, records[i], fmt.Sprint("record ", i), i == 3)
		}
		wantEnd(t, a, records[test.order[last]], records[min(last, 3)])
	}
	// A record that comes back is not one of the other side.
	d, _ := ends(t)
	wantEnd(t, d, records[0], records[0])
}

// S23: what is changed on its way is refused.
func TestEveryChangeOfARecordIsRefused(t *testing.T) {
	for _, size := range []int{0, 1, 40, 1350} {
		d, _ := ends(t)
		good := d.Seal(nil, bytes.Repeat([]byte{'x'}, size), size == 1)
		for bit := range len(good) * 8 {
			_, a := ends(t)
			wantEnd(t, a, flipped(good, bit), good)
		}
		for n := RecordHeader; n < len(good); n++ {
			_, a := ends(t)
			wantEnd(t, a, good[:n], good)
		}
		_, a := ends(t)
		wantEnd(t, a, append(bytes.Clone(good), 0), good)
	}
}

// S23: what is changed on its way is refused.
func TestEveryChangeOfAGreetingIsRefused(t *testing.T) {
	s := newPeer(t, alice, 1).Streams()
	_, _, g, reply := dialled(t, s, s)
	for bit := range DiallerSize * 8 {
		if r, err := s.Accept(g, [DiallerSize]byte(flipped(reply[:], bit))); err == nil || r != nil {
			t.Errorf("a reply with bit %d flipped is accepted", bit)
		} else if _, isFault := errors.AsType[Fault](err); !isFault && err != ErrStream {
			t.Errorf("bit %d: %v", bit, err)
		}
	}
	// The dialler believes any greeting, but is not believed then.
	for bit := range DialledSize * 8 {
		changed := Greeting(flipped(g[:], bit))
		reply, r, err := s.Dial(changed, randomness(2))
		if bit < 8 {
			if err != ErrStream || r != nil {
				t.Errorf("a greeting with bit %d flipped: %v", bit, err)
			}
			continue
		}
		if r, err := s.Accept(g, reply); err != FaultForged || r != nil {
			t.Errorf("after a greeting with bit %d flipped: %v", bit, err)
		}
	}
}

func TestRecordingOfAStreamIsWorthNothing(t *testing.T) {
	s := newPeer(t, alice, 1).Streams()
	d, _, g, reply := dialled(t, s, s)
	recorded := d.Seal(nil, []byte("hello"), true)
	next := s.Greet(randomness(3))
	if next == g {
		t.Fatal("the greeting is the same")
	}
	if r, err := s.Accept(next, reply); err != FaultForged || r != nil {
		t.Errorf("a recorded reply to another greeting: %v", err)
	}
	// A recorded greeting gets a reply, but the records that came then do not fit.
	_, r, err := s.Dial(g, randomness(4))
	if err != nil {
		t.Fatal(err)
	}
	wantEnd(t, r, recorded, recorded)
}

func TestStreamsOfOthersAreRefused(t *testing.T) {
	blue := newPeer(t, alice, 1).Streams()
	red := newPeer(t, alice, 1, func(c *Config[byte]) { c.Cluster = "red" }).Streams()
	other := newPeer(t, alice, 1, keys(keyB)).Streams()
	both := newPeer(t, alice, 1, keys(keyB, keyA)).Streams()
	for _, test := range []struct {
		name              string
		dialler, acceptor *Streams
		want              error
	}{
		{"another cluster", red, blue, FaultCluster},
		{"another key", other, blue, FaultKey},
		{"a key that is not accepted yet", both, blue, FaultKey},
		{"a key that is accepted", blue, both, nil},
		{"open to sealed", OpenStreams("blue"), blue, FaultKey},
		{"sealed to open", blue, OpenStreams("blue"), FaultKey},
		{"open", OpenStreams("blue"), OpenStreams("blue"), nil},
		{"open, another cluster", OpenStreams("red"), OpenStreams("blue"), FaultCluster},
	} {
		g := test.acceptor.Greet(randomness(1))
		reply, _, err := test.dialler.Dial(g, randomness(2))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := test.acceptor.Accept(g, reply); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}

func TestStreamsStayAsTheyWereMade(t *testing.T) {
	p := newPeer(t, alice, 1)
	before := p.Streams()
	if err := p.Reload([]Key{keyB}); err != nil {
		t.Fatal(err)
	}
	dialled(t, before, before)
	g := p.Streams().Greet(randomness(1))
	reply, _, _ := before.Dial(g, randomness(2))
	if _, err := p.Streams().Accept(g, reply); err != FaultKey {
		t.Errorf("a key that is gone: %v", err)
	}
}

func TestRecordIsNeverTooLong(t *testing.T) {
	d, a := ends(t)
	for _, head := range [][2]byte{{0x40, 1}, {0x7f, 0xff}, {0xff, 0xff}, {0xc0, 1}} {
		if n, err := a.Body(head); err != ErrStream || n != 0 {
			t.Errorf("a header of %x: %d, %v", head, n, err)
		}
	}
	if n, err := a.Body([2]byte{0xc0, 0}); err != nil || n != MaxRecord+tagSize {
		t.Errorf("the longest record: %d, %v", n, err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a record that is too long was sealed")
		}
	}()
	d.Seal(nil, make([]byte, MaxRecord+1), false)
}

// FuzzStream checks that nothing but what the other side sent is accepted, whatever
// arrives in its place, and that nothing panics.
func FuzzStream(f *testing.F) {
	s := newPeer(f, alice, 1).Streams()
	d, _, g, reply := dialled(f, s, s)
	sent := [][]byte{d.Seal(nil, []byte("hello"), false), d.Seal(nil, nil, true)}
	f.Add([]byte(nil))
	f.Add(join(reply[:], sent[0], sent[1]))
	f.Add(join(reply[:], sent[1]))
	f.Add(join(reply[:], []byte{0xff, 0xff}))
	f.Add(reply[:30])
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < DiallerSize {
			return
		}
		r, err := s.Accept(g, [DiallerSize]byte(data))
		if (err == nil) != bytes.Equal(data[:DiallerSize], reply[:]) {
			t.Fatalf("a reply of %x: %v", data[:DiallerSize], err)
		}
		if err != nil {
			return
		}
		data = data[DiallerSize:]
		for i := 0; len(data) >= RecordHeader; i++ {
			n, err := r.Body([RecordHeader]byte(data))
			if err != nil || len(data) < RecordHeader+n {
				return
			}
			record := bytes.Clone(data[:RecordHeader+n])
			_, _, err = r.read(record)
			if good := i < len(sent) && bytes.Equal(record, sent[i]); good != (err == nil) {
				t.Fatalf("record %d, %x: %v", i, record, err)
			} else if !good {
				return
			}
			data = data[RecordHeader+n:]
		}
	})
}
