package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// names returns what is in a directory.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	if got := names(t, dir); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the directory holds %q, want %q", got, want)
	}
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func wantFile(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %.40q, %v; want %.40q", path, got, err, want)
	}
}

func TestWriteReplacesTheFileAndLeavesNothingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	for _, content := range []string{"first", "", "third, which is longer"} {
		if err := Write(path, 0o600, []byte(content)); err != nil {
			t.Fatal(err)
		}
		wantFile(t, path, content)
		wantNames(t, filepath.Dir(path), "state")
	}
}

func TestWriteTakesANameInTheWorkingDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := Write("state", 0o600, []byte("here")); err != nil {
		t.Fatal(err)
	}
	wantFile(t, "state", "here")
}

func TestFileHasTheModeThatWasGiven(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("its files have no such mode")
	}
	path := filepath.Join(t.TempDir(), "state")
	for _, mode := range []fs.FileMode{0o600, 0o644, 0o666, 0o777, 0o400, 0o000, 0o640} {
		if err := Write(path, mode, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("%v, %v; want %v", info.Mode(), err, mode)
		}
	}
}

func TestWriteFailsWithoutHarm(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "file", "whole")
	if err := os.MkdirAll(filepath.Join("full", "of"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", ".", "none/state", "file/state", "full", "full/", "none/"} {
		if err := Write(path, 0o600, []byte("x")); err == nil || !strings.HasPrefix(err.Error(), "durable: write ") {
			t.Errorf("%q: %v", path, err)
		}
	}
	wantNames(t, ".", "file", "full")
	wantNames(t, "full", "of")
	wantFile(t, "file", "whole")
}

func TestWriteRemovesWhatACrashLeftBehind(t *testing.T) {
	dir := t.TempDir()
	const text = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	now := time.Now()
	for name, age := range map[string]time.Duration{
		".state.selkie-" + text:                     leftover + time.Second, // goes
		".state.selkie-234567" + text:               -time.Hour,             // goes: from the future
		".state.selkie-Z" + text:                    leftover / 2,           // may be in use
		".other.selkie-" + text:                     time.Hour,              // of another file
		".state.selkie-" + text[1:]:                 time.Hour,              // too short for ours
		".state.selkie-" + strings.ToLower(text):    time.Hour,              // not random text
		".state.selkie-" + text + ".selkie-" + text: time.Hour,              // of a file with an odd name
		"state.selkie-" + text:                      time.Hour,
		".state":                                    time.Hour,
		"state.damaged-1":                           time.Hour,
	} {
		path := filepath.Join(dir, name)
		put(t, path, "x")
		if err := os.Chtimes(path, now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	// What is not a file is not ours, whatever its name.
	odd := filepath.Join(dir, ".state.selkie-AA"+text)
	if err := errors.Join(os.Mkdir(odd, 0o700), os.Chtimes(odd, now, now.Add(-time.Hour))); err != nil {
		t.Fatal(err)
	}
	before := len(names(t, dir))
	if err := Write(filepath.Join(dir, "state"), 0o600, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if after := len(names(t, dir)); after != before-2+1 {
		t.Errorf("there are %q", names(t, dir))
	}
	for _, name := range []string{text, "234567" + text} {
		if _, err := os.Stat(filepath.Join(dir, ".state.selkie-"+name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A temporary file has a name that sweep knows.
func TestTemporaryFilesAreKnownAgain(t *testing.T) {
	var made string
	d := host
	d.rename = func(from, _ string) error {
		made = filepath.Base(from)
		return errors.New("refused")
	}
	d.remove = func(string) error { return errors.New("refused") }
	dir := t.TempDir()
	if err := d.write(filepath.Join(dir, "state"), 0o600, nil); err == nil {
		t.Fatal("no error")
	}
	wantNames(t, dir, made)
	if !isTemporary(made, "state") || isTemporary(made, "stat") {
		t.Errorf("%q is not known", made)
	}
	d = host
	d.now = func() time.Time { return time.Now().Add(2 * leftover) }
	if err := d.write(filepath.Join(dir, "state"), 0o600, nil); err != nil {
		t.Fatal(err)
	}
	wantNames(t, dir, "state")
}

// essay returns a content that tells whether it is whole.
func essay(writer, round int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%d of %d. ", round, writer), 1+writer*500)
}

// Writers of several processes do not know of each other's lock.
func TestWritersOfManyProcessesDoNotMixTheirFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it does not replace a file that somebody has open")
	}
	path := filepath.Join(t.TempDir(), "state")
	if err := host.write(path, 0o600, Seal(nil)); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	done := make(chan struct{})
	for writer := range 8 {
		writers.Go(func() {
			for round := range 20 {
				if err := host.write(path, 0o600, Seal(essay(writer, round))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() {
		writers.Wait()
		close(done)
	}()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		sealed, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(sealed); err != nil {
			t.Fatal(err)
		}
	}
	wantNames(t, filepath.Dir(path), "state")
}

func TestWritersAndReadersOfOneProcessWaitForEachOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	var all sync.WaitGroup
	for writer := range 4 {
		all.Go(func() {
			for round := range 10 {
				if err := Store(path, 0o600, essay(writer, round)); err != nil {
					t.Error(err)
				}
				// A damaged file is set aside, and never a good one.
				if round == 5 && writer == 0 {
					if err := Write(path, 0o600, []byte("damaged")); err != nil {
						t.Error(err)
					}
				}
				_, aside, err := Load(path)
				if aside != "" {
					if damage, readErr := os.ReadFile(aside); string(damage) != "damaged" {
						t.Errorf("set aside %.40q, %v", damage, readErr)
					}
				} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
