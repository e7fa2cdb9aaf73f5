package selkie

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails if a test leaves a goroutine behind.
func TestMain(m *testing.M) {
	before := goroutines()
	code := m.Run()
	if left := leftBehind(before); left != "" && code == 0 {
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

// leftBehind returns the stacks of goroutines that were not there before. One
// that is about to end is given a second to.
func leftBehind(before map[string]string) string {
	for deadline := time.Now().Add(time.Second); ; runtime.Gosched() {
		var left strings.Builder
		for id, stack := range goroutines() {
			if _, ok := before[id]; !ok {
				left.WriteString(stack + "\n\n")
			}
		}
		if left.Len() == 0 || time.Now().After(deadline) {
			return left.String()
		}
	}
}

// goroutines returns the stacks of all goroutines by the id that each begins
// with, but for the one that the fuzzer of the testing package leaves behind to
// wait for signals.
func goroutines() map[string]string {
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	stacks := make(map[string]string)
	for stack := range strings.SplitSeq(strings.TrimSpace(string(all)), "\n\n") {
		if strings.Contains(stack, "os/signal.loop") {
			continue
		}
		id, _, _ := strings.Cut(strings.TrimPrefix(stack, "goroutine "), " ")
		stacks[id] = stack
	}
	return stacks
}
