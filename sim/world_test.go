package sim

import (
	"runtime"
	"testing"
	"time"
)

func TestNodesFindEachOther(t *testing.T) {
	w := New(1, LAN)
	w.Grow(16)
	if !w.RunUntil(time.Minute, func() bool { return w.everybodySees(15) }) {
		t.Fatal("not everybody knows everybody after a minute")
	}
	w.Node(3).Crash()
	if !w.RunUntil(time.Minute, func() bool { return w.everybodySees(14) }) {
		t.Fatal("a crash went unnoticed for a minute")
	}
}

// An eventful run is the same twice, whatever the number of processors is, and
// on machines of 32 bits.
func TestSameSeedSameRun(t *testing.T) {
	const written = 0xa1d05df8283b6d3b
	run := func() uint64 { return eventful(7, LAN, 9, nil).Hash() }
	first := run()
	if first != written {
		t.Errorf("%#x, as written down %#x: if the protocol or the simulator changed, write it down anew", first, uint64(written))
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if again := run(); again != first {
		t.Errorf("%x, then %x", first, again)
	}
}
