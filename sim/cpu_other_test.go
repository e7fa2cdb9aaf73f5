//go:build !unix

package sim

import (
	"testing"
	"time"
)

var processBegan = time.Now()

// cpuTime returns for how long the process has run: nothing better is known.
func cpuTime(*testing.B) time.Duration { return time.Since(processBegan) }
