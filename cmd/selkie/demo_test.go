package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestDemoSaysWhoDidNotDoAStep(t *testing.T) {
	d := newDemo(t.Context(), 10*time.Millisecond, io.Discard, "", "")
	agents := []*demoAgent{{number: 1}, {number: 2}, {number: 3}}
	err := d.await("fly", agents, func(g *demoAgent) (string, bool) { return "flies", g.number == 2 })
	if err == nil || err.Error() != "agent 1, 3 did not fly within 10ms" {
		t.Errorf("got %v", err)
	}
}

func TestDemoEndsWhenAnAgentHangs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	program := filepath.Join(t.TempDir(), "hang")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nexec sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	late := errors.New("too late")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, late)
	defer cancel()
	d := newDemo(ctx, time.Hour, io.Discard, program, t.TempDir())
	defer d.stop()
	if err := d.play(); !errors.Is(err, late) || !strings.Contains(err.Error(), "agent 1 did not start") {
		t.Errorf("got %v", err)
	}
}
