package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/selkie-go/selkie"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// threeKeys returns a file with a retired key, a primary one and another one.
func threeKeys(t *testing.T) (f *keyFile, old, primary, other selkie.Key) {
	t.Helper()
	old, primary, other = selkie.NewKey(), selkie.NewKey(), selkie.NewKey()
	text := fmt.Sprintf("# first\n%s retired=2026-01-02T13:00:00Z\n\n%s\r\n  %s", old.Reveal(), primary.Reveal(), other.Reveal())
	f, err := parseKeyFile("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f, old, primary, other
}

func wantKeys(t *testing.T, f *keyFile, now time.Time, want ...selkie.Key) {
	t.Helper()
	if got, _ := f.accepted(now); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("keys %v, want %v", got, want)
	}
}

func TestFirstKeyThatIsNotRetiredIsThePrimaryOne(t *testing.T) {
	f, old, primary, other := threeKeys(t)
	wantKeys(t, f, noon, primary, old, other)
	if _, until := f.accepted(noon); !until.Equal(noon.Add(time.Hour)) {
		t.Errorf("the next key ends at %v", until)
	}
	wantKeys(t, f, noon.Add(time.Hour), primary, other)
	if _, until := f.accepted(noon.Add(time.Hour)); !until.IsZero() {
		t.Errorf("the next key ends at %v", until)
	}
}

func TestWhatIsNoKeyStaysInTheFile(t *testing.T) {
	f, old, primary, other := threeKeys(t)
	want := fmt.Sprintf("# first\n%s retired=2026-01-02T13:00:00Z\n\n%s\n%s\n", old.Reveal(), primary.Reveal(), other.Reveal())
	if got := string(f.text()); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestKeysChangeTheirPlaces(t *testing.T) {
	f, old, primary, other := threeKeys(t)
	late := noon.Add(24 * time.Hour)
	next := selkie.NewKey()
	wantKeys(t, f.add(next), late, primary, other, next)
	wantKeys(t, f.add(other), late, primary, other)
	wantKeys(t, f.add(old), late, primary, old, other)
	used, err := f.use(other.ID())
	if err != nil {
		t.Fatal(err)
	}
	wantKeys(t, used, noon, other, old, primary)
	retired, err := used.retire(primary.ID(), noon.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	wantKeys(t, retired, noon, other, old, primary)
	wantKeys(t, retired, late, other)
	if _, err := retired.retire(other.ID(), noon); err == nil {
		t.Error("the only key was retired")
	}
	if _, err := retired.use(primary.ID()); err == nil || !strings.Contains(err.Error(), "is being retired") {
		t.Errorf("a retired key was used: %v", err)
	}
	if _, err := f.use(next.ID()); !errors.Is(err, errUnknownKey) {
		t.Errorf("an unknown key was used: %v", err)
	}
	wantKeys(t, f, noon, primary, old, other) // the file that all came from
}

func TestErrorsOfKeyFilesNameTheLineAndNotTheKey(t *testing.T) {
	key := selkie.NewKey().Reveal()
	for _, c := range []struct{ text, want string }{
		{"", "f: it has no key that is not retired"},
		{"# nothing\n\n", "f: it has no key"},
		{key + " retired=2026-01-02T13:00:00Z\n", "f: it has no key"},
		{"# a\n" + key[:40] + "\n", "f:2: the line does not begin with a key"},
		{key + "\n" + key, "f:2: key "},
		{key + "\n\n" + key, "is in line 1 already"},
		{key + " retire\n", "f:1: behind key "},
		{key + " retired=tomorrow\n", "there must be a time as"},
		{key + " retired=\n", "f:1: behind retired="},
		{key + " retired=0001-01-01T00:00:00Z\n", "f:1: behind retired="},
		{key + " retired=9999-12-31T23:59:59-01:00\n", "f:1: behind retired="},
		{key + " " + selkie.NewKey().Reveal(), "there may only be retired="},
	} {
		_, err := parseKeyFile("f", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.text, err, c.want)
			continue
		}
		for _, word := range strings.Fields(c.text) {
			if len(word) > 30 && strings.Contains(err.Error(), word) {
				t.Errorf("the error gives away a key: %v", err)
			}
		}
	}
}

func TestKeyFileIsReplacedAsAWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := createKeyFile(path, selkie.NewKey()); err != nil {
		t.Fatal(err)
	}
	if err := createKeyFile(path, selkie.NewKey()); err == nil {
		t.Error("a key file was overwritten")
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("key", link); err != nil {
		t.Skip(err)
	}
	f, err := readKeyFile(link)
	if err != nil {
		t.Fatal(err)
	}
	next := selkie.NewKey()
	if err := f.add(next).write(); err != nil {
		t.Fatal(err)
	}
	if f, err = readKeyFile(path); err != nil {
		t.Fatal(err)
	}
	if keys, _ := f.accepted(noon); len(keys) != 2 || keys[1] != next {
		t.Errorf("got %v", keys)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v", err)
	}
}

func TestKeyFileOfOthersIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no modes here")
	}
	path := filepath.Join(t.TempDir(), "key")
	if err := createKeyFile(path, selkie.NewKey()); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o601} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := readKeyFile(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %o: got %v", mode, err)
		}
	}
	if err := os.WriteFile(path, make([]byte, maxKeyFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readKeyFile(path); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("got %v", err)
	}
}

func FuzzKeyFile(f *testing.F) {
	key := selkie.NewKey().Reveal()
	f.Add([]byte(key + "\n# other\n" + selkie.NewKey().Reveal() + " retired=2026-01-02T13:00:00Z"))
	f.Fuzz(func(t *testing.T, text []byte) {
		first, err := parseKeyFile("f", text)
		if err != nil {
			return
		}
		again, err := parseKeyFile("f", first.text())
		if err != nil {
			t.Fatalf("what was written is refused: %v", err)
		}
		if string(again.text()) != string(first.text()) {
			t.Fatalf("%q became %q", first.text(), again.text())
		}
	})
}
