package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func needShell(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
}

// runHook gives events to a command and returns what was logged.
func runHook(t *testing.T, h *hook, events ...happened) string {
	t.Helper()
	var said bytes.Buffer
	h.log = slog.New(slog.NewTextHandler(&said, nil))
	for _, e := range events {
		h.push(e)
	}
	h.close()
	h.run(t.Context())
	return said.String()
}

func TestHookRunsForOneEventAfterAnother(t *testing.T) {
	needShell(t)
	file := filepath.Join(t.TempDir(), "said")
	h := newHook(`read line; echo "$SELKIE_EVENT $SELKIE_MEMBER $SELKIE_NAME $MORE $line" >>`+file, nil, "MORE=more")
	var events []happened
	want := ""
	for i := range 5 {
		events = append(events, happened{"up", "a:1", "ann", fmt.Appendf(nil, `{"n":%d}`, i)})
		want += fmt.Sprintf("up a:1 ann more {\"n\":%d}\n", i)
	}
	if log := runHook(t, h, events...); log != "" {
		t.Errorf("logged %s", log)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("got %s%v, want %s", got, err, want)
	}
}

func TestSlowHookLosesTheOldestEvents(t *testing.T) {
	var said bytes.Buffer
	h := newHook("true", slog.New(slog.NewTextHandler(&said, nil)))
	for i := range hookQueue + 3 {
		h.push(happened{data: fmt.Appendf(nil, "%d", i)})
	}
	if dropped, _ := h.counts(); dropped != 3 || len(h.waiting) != hookQueue || string(h.waiting[0].data) != "3" {
		t.Errorf("dropped %d, %d wait, first %s", dropped, len(h.waiting), h.waiting[0].data)
	}
	if lines := strings.Count(said.String(), "\n"); lines != 1 {
		t.Errorf("%d lines within a second:\n%s", lines, &said)
	}
	big := make([]byte, hookBytes-10)
	h.push(happened{data: big})
	h.push(happened{data: []byte("small")})
	if h.bytes > hookBytes || len(h.waiting) < 2 {
		t.Errorf("%d bytes wait in %d events", h.bytes, len(h.waiting))
	}
}

func TestHookThatFailsOrTakesTooLongIsLogged(t *testing.T) {
	needShell(t)
	h := newHook("echo no luck >&2; exit 3", nil)
	if log := runHook(t, h, happened{kind: "up"}); !strings.Contains(log, "exit status 3") || !strings.Contains(log, "no luck") {
		t.Errorf("logged %s", log)
	}
	h = newHook("sleep 600", nil)
	h.limit = 20 * time.Millisecond
	began := time.Now()
	if log := runHook(t, h, happened{kind: "up"}); !strings.Contains(log, "it took more than 20ms") {
		t.Errorf("logged %s", log)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
	if _, failed := h.counts(); failed != 1 {
		t.Errorf("%d failed", failed)
	}
}

func TestHookEndsWithTheAgent(t *testing.T) {
	h := newHook("true", slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	go h.run(ctx)
	cancel()
	<-h.done
}
