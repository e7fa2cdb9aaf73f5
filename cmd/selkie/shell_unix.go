//go:build unix

package main

import (
	"context"
	"os/exec"
	"syscall"
	"time"
)

// shell returns a command for the shell. When ctx ends, all that it started is
// ended, too. It is not interrupted from our terminal.
func shell(ctx context.Context, command string) *exec.Cmd {
	c := exec.CommandContext(ctx, "sh", "-c", command)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = time.Second
	return c
}
