//go:build !unix

package main

import (
	"context"
	"os/exec"
	"time"
)

// shell returns a command for the shell. When ctx ends, the shell is ended.
func shell(ctx context.Context, command string) *exec.Cmd {
	c := exec.CommandContext(ctx, "cmd", "/C", command)
	c.WaitDelay = time.Second
	return c
}
