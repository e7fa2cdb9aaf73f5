//go:build unix

package main

import (
	"syscall"
	"time"
)

// cpuTime returns for how long processors have worked for this process, or zero
// if nobody knows.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
