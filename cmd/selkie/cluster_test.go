package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A process is an agent that runs by itself.
type process struct {
	addr   string
	cmd    *exec.Cmd
	said   *bufio.Reader // its standard error
	client *client
}

// run starts an agent and waits until it has said where it is.
func run(t *testing.T, name string, args ...string) *process {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	admin := endpoint{"unix", filepath.Join(t.TempDir(), name)}
	p := &process{client: newClient(admin)}
	p.cmd = &exec.Cmd{Path: program}
	p.cmd.Args = append([]string{"selkie", "agent", "--bind", "127.0.0.1:0", "--admin", admin.String()}, args...)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.said = bufio.NewReader(said)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		p.cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, out)
	p.addr = strings.TrimSpace(line)
	return p
}

// await watches an agent until it reports what is wanted.
func (p *process) await(ctx context.Context, t *testing.T, what string, wanted func(eventInfo) bool) {
	t.Helper()
	for e, err := range p.client.events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if wanted(e) {
			return
		}
	}
	t.Errorf("%s did not report %s: %v", p.addr, what, context.Cause(ctx))
}

func TestKilledAgentIsDownAtTheOthersWithinFifteenSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as agents need to miss one of them")
	}
	a := run(t, "a")
	b := run(t, "b", "--join", a.addr)
	c := run(t, "c", "--join", a.addr)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, p := range []*process{a, b, c} {
		p.await(ctx, t, "three members", func(eventInfo) bool {
			members, err := p.client.members(ctx)
			return err == nil && countStates(members)["alive"] == 3
		})
	}
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	ctx, cancel = context.WithDeadline(t.Context(), killed.Add(15*time.Second))
	defer cancel()
	for _, p := range []*process{a, b} {
		p.await(ctx, t, "the death", func(e eventInfo) bool {
			if e.Kind != "snapshot" {
				return e.Kind == "down" && e.Addr == c.addr
			}
			for _, m := range e.Members {
				if m.Addr == c.addr && m.State == "down" {
					return true
				}
			}
			return false
		})
		t.Logf("%s reported it after %v", p.addr, time.Since(killed).Round(time.Millisecond))
	}
}

// hangs returns an agent that can not finish to say goodbye: the only other
// member is dead, and it does not know that yet.
func hangs(t *testing.T, args ...string) *process {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("processes can not be interrupted here")
	}
	dead := run(t, "dead")
	p := run(t, "p", append(args, "--join", dead.addr)...)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	p.await(ctx, t, "the other one", func(eventInfo) bool {
		members, err := p.client.members(ctx)
		return err == nil && len(members) == 2
	})
	dead.cmd.Process.Kill()
	dead.cmd.Wait()
	p.signal(t)
	for line := ""; !strings.Contains(line, "leaving"); {
		var err error
		if line, err = p.said.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p *process) signal(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
}

func TestSecondSignalEndsTheAgentAtOnce(t *testing.T) {
	p := hangs(t, "--leave-timeout", "1h")
	p.signal(t)
	p.cmd.Wait()
	if got := p.cmd.ProcessState.ExitCode(); got != exitInterrupted {
		t.Errorf("exit code %d, want %d", got, exitInterrupted)
	}
}

func TestLeavingTakesNoLongerThanItMay(t *testing.T) {
	p := hangs(t, "--leave-timeout", "200ms")
	began := time.Now()
	p.cmd.Wait()
	if got := p.cmd.ProcessState.ExitCode(); got != exitDone {
		t.Errorf("exit code %d", got)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("took %v", took)
	}
}
