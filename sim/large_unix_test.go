//go:build unix

package sim

import (
	"os"
	"runtime/debug"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// BenchmarkLarge measures clusters beyond what is simulated every day:
//
//	SELKIE_LARGE=10000 go test ./sim -run '^$' -bench Large -benchtime 1x
//
// All nodes start at once, and each is handed the others as an owner hands over
// members that were saved; to find each other packet by packet would cost the
// square of their number in packets. Then they live for ten seconds, in which
// everybody probes, and still have to know everybody. Nothing is checked: that
// would take a second view of the cluster for each node.
//
// It prints the peak of the memory of the process, so let it run alone.
func BenchmarkLarge(b *testing.B) {
	count, err := strconv.Atoi(os.Getenv("SELKIE_LARGE"))
	if err != nil {
		b.Skip("SELKIE_LARGE is not set to a number of nodes")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(10)) // less memory, more work
	const lasts = 10 * time.Second
	for b.Loop() {
		began := cpuTime(b)
		w := acquainted(1, LAN, count)
		formed := cpuTime(b)
		w.Run(lasts)
		if !w.everybodySees(count - 1) {
			b.Fatal("not everybody knows everybody")
		}
		b.ReportMetric((formed - began).Seconds(), "cpu-s-to-form")
		b.ReportMetric(lasts.Seconds()/(cpuTime(b)-formed).Seconds(), "virtual-s/cpu-s")
	}
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(used.Maxrss)/(1<<20), "GiB-peak") // Linux counts in KiB
}
