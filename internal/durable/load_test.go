package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLoadReturnsWhatWasStored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	for _, want := range []string{"", "hello", "one\ntwo\n"} {
		if err := Store(path, 0o600, []byte(want)); err != nil {
			t.Fatal(err)
		}
		got, aside, err := Load(path)
		if string(got) != want || aside != "" || err != nil {
			t.Errorf("%q, %q, %v; want %q", got, aside, err, want)
		}
	}
	wantNames(t, filepath.Dir(path), "state")
}

func TestLoadTellsThatThereIsNoFile(t *testing.T) {
	dir := t.TempDir()
	content, aside, err := Load(filepath.Join(dir, "state"))
	if content != nil || aside != "" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%q, %q, %v", content, aside, err)
	}
	wantNames(t, dir)
}

func TestLoadSetsADamagedFileAside(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	put(t, path, "torn")
	content, aside, err := Load(path)
	if content != nil || !errors.Is(err, ErrDamaged) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%q, %v", content, err)
	}
	if !strings.HasPrefix(aside, path+".damaged-") || !strings.Contains(err.Error(), aside) {
		t.Errorf("set aside as %q; the error is %v", aside, err)
	}
	wantFile(t, aside, "torn")
	wantNames(t, dir, filepath.Base(aside))
	if _, _, err = Load(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the next time: %v", err)
	}
}

func TestLoadLeavesAFileOfAnotherVersionWhereItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	for _, test := range []struct{ body, begins string }{
		{"selkie state 2\nwhatever it holds\n", `"selkie state 2"`},
		{"selkie state 2\nand no newline", `"selkie state 2"`},
		{"\x00" + strings.Repeat("long", 100), `"\x00longlong`},
		{"", `"sha256 e3b0`},
	} {
		put(t, path, string(appendSum([]byte(test.body), []byte(test.body))))
		content, aside, err := Load(path)
		if content != nil || aside != "" || !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), test.begins) {
			t.Errorf("%q, %q, %v", content, aside, err)
		}
		if len(err.Error()) > len(path)+150 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
		wantNames(t, filepath.Dir(path), "state")
	}
}

func TestLoadDoesNotMoveWhatItCannotRead(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, aside, err := Load(filepath.Join(dir, "state")); aside != "" || err == nil || errors.Is(err, ErrDamaged) {
		t.Errorf("%q, %v", aside, err)
	}
	wantNames(t, dir, "state")
}

// at is the disk of the host, with a clock that stands still.
func at(seconds int64) disk {
	d := host
	d.now = func() time.Time { return time.Unix(seconds, 0) }
	return d
}

func TestTheFourLatestDamagedFilesAreKept(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	// The clock stands still, goes back, and runs on.
	for i, clock := range []int64{100, 100, 50, 9, 99, 200} {
		put(t, path, fmt.Sprint("damage ", i))
		want := fmt.Sprint(path, ".damaged-", max(clock, 100+int64(i)))
		if _, aside, err := at(clock).load(path); aside != want || !errors.Is(err, ErrDamaged) {
			t.Errorf("%q, %v; want %q", aside, err, want)
		}
		wantFile(t, want, fmt.Sprint("damage ", i))
	}
	wantNames(t, dir, "state.damaged-102", "state.damaged-103", "state.damaged-104", "state.damaged-200")
}

func TestOnlyFilesThatWereSetAsideAreRemoved(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	kept := []string{
		"other.damaged-1", "state.damaged-", "state.damaged-+1", "state.damaged-007", "state.damaged--1",
		"state.damaged-1.gz", "state.damaged-99999999999999999999", "state.damaged-x",
	}
	for _, name := range kept {
		put(t, filepath.Join(dir, name), "x")
	}
	if err := os.Mkdir(filepath.Join(dir, "state.damaged-1"), 0o700); err != nil {
		t.Fatal(err)
	}
	for range keepDamaged + 3 {
		put(t, path, "torn")
		if _, aside, _ := at(1000).load(path); aside == "" {
			t.Fatal("not set aside")
		}
	}
	if got := names(t, dir); len(got) != len(kept)+1+keepDamaged {
		t.Errorf("there are %q", got)
	}
}
