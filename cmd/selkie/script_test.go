package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets this program be run as selkie, by scripts and by the demo.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"selkie": main, "selkie-made-up": mainMadeUp})
}

// TestScripts runs testdata/script: the command as the person who types it
// meets it. Besides the usual commands of testscript there are
//
//	exits CODE selkie ...   the command ends with that code
//	addr VARIABLE ADMIN     wait until an agent answers, and set a variable to its address
//	port VARIABLE           set a variable to a port that is free
//	await FILE TEXT         wait until there is a file, and has a text in it
//	until PATTERN selkie .. run the command until its output matches
//	keyid VARIABLE FILE     set a variable to the name of the key in a file
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		// A script that waits for what never happens fails with what it said.
		Deadline: time.Now().Add(4 * time.Minute),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"addr":  addr,
			"port":  port,
			"await": awaitText,
			"until": until,
			"keyid": keyID,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE command [args...]")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

func addr(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: addr VARIABLE ADMIN")
	}
	e, err := parseEndpoint(args[1])
	ts.Check(err)
	// Others may know an agent before it can be talked to.
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for end := time.After(20 * time.Second); ; {
		members, err := newClient(e).members(context.Background())
		if err == nil {
			ts.Setenv(args[0], members[0].Addr)
			return
		}
		select {
		case <-again.C:
		case <-end:
			ts.Check(err)
		}
	}
}

func awaitText(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await FILE TEXT")
	}
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for end := time.After(20 * time.Second); ; {
		if text, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && strings.Contains(string(text), args[1]) {
			return
		}
		select {
		case <-again.C:
		case <-end:
			ts.Fatalf("no %q in %s", args[1], args[0])
		}
	}
}

func port(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: port VARIABLE")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	defer l.Close()
	at := l.Addr().String()
	ts.Setenv(args[0], at[strings.LastIndex(at, ":")+1:])
}

func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN command [args...]")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for end := time.After(20 * time.Second); ; {
		if ts.Exec(args[1], args[2:]...) == nil && pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		select {
		case <-again.C:
		case <-end:
			ts.Fatalf("the output never matched %s", args[0])
		}
	}
}

func keyID(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keyid VARIABLE FILE")
	}
	f, err := readKeyFile(ts.MkAbs(args[1]))
	ts.Check(err)
	keys, _ := f.accepted(time.Now())
	ts.Setenv(args[0], keys[0].ID().String())
}
