package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// What the command of a hook may take.
const (
	hookQueue   = 256      // events that wait for it
	hookBytes   = 16 << 20 // bytes of them
	hookTime    = 30 * time.Second
	hookOutput  = 1 << 10         // bytes of what it says, for the log
	hookGoodbye = 2 * time.Second // for what waits when the agent ends
)

// A hook runs a command for every event, one after another. If it is too slow,
// the oldest events that wait are dropped.
type hook struct {
	command string
	env     []string
	log     *slog.Logger
	limit   time.Duration

	mu      sync.Mutex
	waiting []happened
	bytes   int
	closed  bool
	dropped uint64
	failed  uint64
	said    time.Time // when the log last said that some were dropped
	wake    chan struct{}
	done    chan struct{} // closed when run has returned
}

func newHook(command string, log *slog.Logger, env ...string) *hook {
	return &hook{command: command, env: env, log: log, limit: hookTime, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// push lets an event wait for the command. It waits for nobody itself.
func (h *hook) push(e happened) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.waiting = append(h.waiting, e)
	h.bytes += len(e.data)
	dropped := h.dropped
	for len(h.waiting) > hookQueue || h.bytes > hookBytes && len(h.waiting) > 1 {
		h.pop()
		h.dropped++
	}
	if now := time.Now(); h.dropped > dropped && now.Sub(h.said) >= time.Second {
		h.said = now
		h.log.Warn("event command too slow: events dropped", "command", h.command, "dropped", h.dropped)
	}
	h.nudge()
}

// pop takes the oldest event that waits. The mutex is held.
func (h *hook) pop() happened {
	e := h.waiting[0]
	h.waiting[0] = happened{}
	h.waiting = h.waiting[1:]
	h.bytes -= len(e.data)
	return e
}

func (h *hook) nudge() {
	select {
	case h.wake <- struct{}{}:
	default: // it was woken before and has not come yet
	}
}

// run serves events until the hook is closed and none waits, or ctx ends.
func (h *hook) run(ctx context.Context) {
	defer close(h.done)
	for {
		h.mu.Lock()
		var e happened
		some, closed := len(h.waiting) > 0, h.closed
		if some {
			e = h.pop()
		}
		h.mu.Unlock()
		switch {
		case ctx.Err() != nil || !some && closed:
			return
		case some:
			h.serve(ctx, e)
			continue
		}
		select {
		case <-h.wake:
		case <-ctx.Done():
		}
	}
}

// close takes no more events.
func (h *hook) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.nudge()
}

// counts returns how many events were dropped, and how many failed.
func (h *hook) counts() (dropped, failed uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dropped, h.failed
}

// serve runs the command for one event.
func (h *hook) serve(ctx context.Context, e happened) {
	ctx, cancel := context.WithTimeoutCause(ctx, h.limit, fmt.Errorf("it took more than %v", h.limit))
	defer cancel()
	said := &tail{limit: hookOutput}
	c := shell(ctx, h.command)
	c.Stdin = bytes.NewReader(append(bytes.Clone(e.data), '\n'))
	c.Stdout, c.Stderr = said, said
	c.Env = append(os.Environ(), "SELKIE_EVENT="+e.kind, "SELKIE_MEMBER="+e.addr, "SELKIE_NAME="+e.name)
	c.Env = append(c.Env, h.env...)
	err := c.Run()
	if err == nil || errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil {
		return // it may leave something behind that runs on
	}
	if why := context.Cause(ctx); why != nil {
		err = why
	}
	h.mu.Lock()
	h.failed++
	h.mu.Unlock()
	h.log.Warn("event command failed", "command", h.command, "event", e.kind, "member", e.addr, "error", err, "said", said)
}

// A tail keeps the end of what is written to it.
type tail struct {
	limit int
	text  []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.text = append(t.text, b...)
	if over := len(t.text) - t.limit; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string { return strings.ToValidUTF8(strings.TrimSpace(string(t.text)), "?") }
