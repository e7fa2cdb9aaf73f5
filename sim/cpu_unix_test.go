//go:build unix

package sim

import (
	"syscall"
	"testing"
	"time"
)

// cpuTime returns for how long processors have worked for this process. The
// figures are by it, because other processes take the time of the clock on the
// wall.
func cpuTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
