package frame_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/selkie-go/selkie/transport/frame"
)

var blue = frame.ClusterOf("blue")

func TestFrameIsVersionClusterPayloadChecksum(t *testing.T) {
	got := frame.Append([]byte("kept"), blue, 0, []byte("hello"))
	// The checksum is the one that other implementations of CRC32C give for
	// the ten bytes before it.
	want := "6b657074" + "20" + "16477688" + "68656c6c6f" + "560aef89"
	if hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s", got, want)
	}
}

func TestOpenReturnsWhatWasFramed(t *testing.T) {
	for _, payload := range []string{"", "x", "hello", string(bytes.Repeat([]byte{0}, 1400))} {
		data := frame.Append(nil, blue, 0, []byte(payload))
		if len(data) != len(payload)+frame.Overhead {
			t.Errorf("a payload of %d bytes makes a frame of %d", len(payload), len(data))
		}
		got, _, err := frame.Open(data, blue)
		if err != nil || string(got) != payload {
			t.Errorf("opened %q, %v; framed %q", got, err, payload)
		}
	}
}

func TestEverySingleFlippedBitIsRefused(t *testing.T) {
	good := frame.Append(nil, blue, 0, bytes.Repeat([]byte("a full packet. "), 94)[:1400])
	for bit := range len(good) * 8 {
		bad := bytes.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		if got, _, err := frame.Open(bad, blue); err == nil || got != nil {
			t.Fatalf("with bit %d flipped: %v, %v", bit, got, err)
		}
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	good := frame.Append(nil, blue, 0, bytes.Repeat([]byte("a full packet. "), 94)[:1400])
	for n := range good {
		if got, _, err := frame.Open(good[:n], blue); err == nil || got != nil {
			t.Fatalf("cut to %d bytes: %v, %v", n, got, err)
		}
	}
}

func TestFaultSaysWhatIsWrong(t *testing.T) {
	good := frame.Append(nil, blue, 0, []byte("hello"))
	with := func(at int, b byte) []byte {
		bad := bytes.Clone(good)
		bad[at] = b
		return bad
	}
	for _, test := range []struct {
		data []byte
		want frame.Fault
		name string
	}{
		{nil, frame.FaultShort, "short"},
		{good[:frame.Overhead-1], frame.FaultShort, "short"},
		{with(0, 0x31), frame.FaultVersion, "frame"},
		{with(1, 0), frame.FaultCluster, "cluster"},
		{frame.Append(nil, frame.ClusterOf("red"), 0, []byte("hello")), frame.FaultCluster, "cluster"},
		{with(7, 'E'), frame.FaultChecksum, "checksum"},
		{good[:len(good)-1], frame.FaultChecksum, "checksum"},
		{append(bytes.Clone(good), 0), frame.FaultChecksum, "checksum"},
	} {
		_, _, err := frame.Open(test.data, blue)
		if !errors.Is(err, test.want) || test.want.String() != test.name {
			t.Errorf("%x: %v, want %q", test.data, err, test.name)
		}
	}
}

func TestFramingAllocatesNothing(t *testing.T) {
	payload, room := make([]byte, 1391), make([]byte, 0, 1400)
	broken := frame.Append(nil, blue, 0, payload)
	broken[0] ^= 0x10
	allocs := testing.AllocsPerRun(100, func() {
		room = frame.Append(room[:0], blue, 0, payload)
		if _, _, err := frame.Open(room, blue); err != nil {
			t.Error(err)
		}
		if _, _, err := frame.Open(broken, blue); err == nil {
			t.Error("a broken frame was opened")
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// FuzzOpen checks that what is accepted is exactly what Append makes.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(frame.Append(nil, blue, 0, nil))
	f.Add(frame.Append(nil, blue, 0, []byte("hello")))
	f.Add(frame.Append(nil, frame.ClusterOf("red"), 0, []byte("hello")))
	f.Fuzz(func(t *testing.T, data []byte) {
		payload, channel, err := frame.Open(data, blue)
		if err != nil {
			if _, ok := errors.AsType[frame.Fault](err); !ok || payload != nil {
				t.Fatalf("%v, %v", payload, err)
			}
			return
		}
		if again := frame.Append(nil, blue, channel, payload); !bytes.Equal(again, data) {
			t.Fatalf("%x was accepted, but its payload is framed as %x", data, again)
		}
	})
}
