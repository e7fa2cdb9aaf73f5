package durable

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

var errBroken = errors.New("the disk is broken")

// A fault is what goes wrong with one operation of a disk.
type fault int

const (
	refuses fault = iota // it is not done, or half done if it writes
	lies                 // it is done, and said to have failed
	dies                 // it is not done, nor is any that follows
	numFaults
)

// A saboteur breaks one operation of a disk.
type saboteur struct {
	fault fault
	left  int    // how many operations come before it
	broke string // which operation it was; empty if there were too few
}

// try does an operation, unless it is its turn.
func (s *saboteur) try(name string, do func() error) error {
	if s.broke != "" {
		if s.fault == dies {
			return errBroken
		}
		return do()
	}
	if s.left--; s.left >= 0 {
		return do()
	}
	s.broke = name
	if s.fault == lies {
		_ = do()
	}
	return errBroken
}

// on returns a disk of which an operation is broken.
func (s *saboteur) on(d disk) disk {
	return disk{
		create: func(name string, mode fs.FileMode) (f file, err error) {
			err = s.try("create", func() error {
				made, err := d.create(name, mode)
				f = brokenFile{made, s}
				return err
			})
			return f, err
		},
		openDir: func(name string) (dir directory, err error) {
			err = s.try("open directory", func() error {
				opened, err := d.openDir(name)
				dir = brokenDirectory{opened, s}
				return err
			})
			return dir, err
		},
		rename: func(from, to string) error {
			return s.try("rename", func() error { return d.rename(from, to) })
		},
		remove: func(name string) error {
			return s.try("remove", func() error { return d.remove(name) })
		},
		readFile: func(name string) (content []byte, err error) {
			err = s.try("read", func() error {
				content, err = d.readFile(name)
				return err
			})
			return content, err
		},
		readDir: func(name string) (entries []fs.DirEntry, err error) {
			err = s.try("read directory", func() error {
				entries, err = d.readDir(name)
				return err
			})
			return entries, err
		},
		now: d.now,
	}
}

type brokenFile struct {
	file
	s *saboteur
}

func (f brokenFile) Chmod(mode fs.FileMode) error {
	return f.s.try("chmod", func() error { return f.file.Chmod(mode) })
}

func (f brokenFile) Write(b []byte) (n int, err error) {
	done := false
	err = f.s.try("write", func() error {
		done = true
		n, err = f.file.Write(b)
		return err
	})
	if !done {
		n, _ = f.file.Write(b[:len(b)/2])
	}
	return n, err
}

func (f brokenFile) Sync() error { return f.s.try("sync", f.file.Sync) }

// Close releases the file in any case, as an operating system does.
func (f brokenFile) Close() error {
	closed := f.file.Close()
	return f.s.try("close", func() error { return closed })
}

type brokenDirectory struct {
	directory
	s *saboteur
}

func (d brokenDirectory) Sync() error { return d.s.try("sync directory", d.directory.Sync) }

func (d brokenDirectory) Close() error {
	closed := d.directory.Close()
	return d.s.try("close directory", func() error { return closed })
}

// everyFault breaks each operation that do needs, in every way.
func everyFault(t *testing.T, do func(t *testing.T, s *saboteur)) []string {
	var broke []string
	for kind := range numFaults {
		for k := 0; ; k++ {
			s := &saboteur{fault: kind, left: k}
			do(t, s)
			if t.Failed() {
				t.Fatalf("fault %d of operation %d, %q", kind, k, s.broke)
			}
			if s.broke == "" {
				break
			}
			if kind == refuses {
				broke = append(broke, s.broke)
			}
		}
	}
	return broke
}

func TestWriteKeepsOneOfTheTwoFilesWhateverFails(t *testing.T) {
	const before, after = "the old content", "what shall replace it"
	broke := everyFault(t, func(t *testing.T, s *saboteur) {
		dir := t.TempDir()
		path := filepath.Join(dir, "state")
		put(t, path, before)
		err := s.on(host).write(path, 0o600, []byte(after))
		want := before
		// From when it has its name, it is the new one.
		switch {
		case err == nil, s.broke == "sync directory", s.broke == "rename" && s.fault == lies:
			want = after
		}
		wantFile(t, path, want)
		// What does not matter to the file is no reason to complain.
		harmless := slices.Contains([]string{"", "read directory", "close directory"}, s.broke)
		if harmless && s.fault != dies && err != nil || !harmless && !errors.Is(err, errBroken) {
			t.Error(err)
		}
		if s.fault == refuses {
			wantNames(t, dir, "state")
		}
		// The program starts again, later.
		d := host
		d.now = func() time.Time { return time.Now().Add(2 * leftover) }
		if err := d.write(path, 0o600, []byte("at last")); err != nil {
			t.Error(err)
		}
		wantFile(t, path, "at last")
		wantNames(t, dir, "state")
	})
	want := []string{
		"read directory", "open directory", "create", "chmod", "write", "sync", "close",
		"rename", "sync directory", "close directory",
	}
	if !slices.Equal(broke, want) {
		t.Errorf("the operations are\n%q, want\n%q", broke, want)
	}
}

func TestLoadLosesNoDamagedFileWhateverFails(t *testing.T) {
	broke := everyFault(t, func(t *testing.T, s *saboteur) {
		dir := t.TempDir()
		path := filepath.Join(dir, "state")
		put(t, path, "torn")
		for at := range int64(keepDamaged) {
			put(t, damaged(path, at+1), "torn before")
		}
		content, aside, err := s.on(host).load(path)
		switch {
		case content != nil || err == nil:
			t.Errorf("%q, %v", content, err)
		case s.broke == "read":
			if !errors.Is(err, errBroken) || errors.Is(err, ErrDamaged) {
				t.Error(err)
			}
		case !errors.Is(err, ErrDamaged) || errors.Is(err, errBroken):
			t.Error(err)
		}
		if aside != "" {
			wantFile(t, aside, "torn")
		} else if s.fault != lies {
			wantFile(t, path, "torn")
		}
		torn := 0
		for _, name := range names(t, dir) {
			if text, err := os.ReadFile(filepath.Join(dir, name)); err == nil && string(text) == "torn" {
				torn++
			}
		}
		if torn != 1 {
			t.Errorf("there are %q, and %d are the damaged one", names(t, dir), torn)
		}
	})
	if want := []string{"read", "read directory", "rename", "remove"}; !slices.Equal(broke, want) {
		t.Errorf("the operations are %q, want %q", broke, want)
	}
}

// A memory is a disk with one directory, which tells what is left of it after
// a power failure: what was flushed for certain, and of the rest anything.
type memory struct {
	names, flushed map[string]*inode
	// careless ones say that they flushed files, or directories, and do not.
	carelessFiles, carelessDirectories bool
}

type inode struct{ content, flushed []byte }

func newMemory(content string) *memory {
	first := &inode{[]byte(content), []byte(content)}
	return &memory{
		names:   map[string]*inode{"state": first},
		flushed: map[string]*inode{"state": first},
	}
}

func (m *memory) disk() disk {
	return disk{
		create: func(name string, _ fs.FileMode) (file, error) {
			m.names[name] = new(inode)
			return memoryFile{m, m.names[name]}, nil
		},
		openDir: func(string) (directory, error) { return memoryDirectory{m}, nil },
		rename: func(from, to string) error {
			m.names[to] = m.names[from]
			delete(m.names, from)
			return nil
		},
		remove: func(name string) error {
			delete(m.names, name)
			return nil
		},
		readDir: func(string) ([]fs.DirEntry, error) {
			files := make(fstest.MapFS)
			for name, node := range m.names {
				files[name] = &fstest.MapFile{Data: node.content} // from long ago
			}
			return files.ReadDir(".")
		},
		now: time.Now,
	}
}

type memoryFile struct {
	of   *memory
	node *inode
}

func (memoryFile) Chmod(fs.FileMode) error { return nil }
func (memoryFile) Close() error            { return nil }

func (f memoryFile) Write(b []byte) (int, error) {
	f.node.content = append(f.node.content, b...)
	return len(b), nil
}

func (f memoryFile) Sync() error {
	if !f.of.carelessFiles {
		f.node.flushed = bytes.Clone(f.node.content)
	}
	return nil
}

type memoryDirectory struct{ of *memory }

func (memoryDirectory) Close() error { return nil }

func (d memoryDirectory) Sync() error {
	if !d.of.carelessDirectories {
		d.of.flushed = maps.Clone(d.of.names)
	}
	return nil
}

// powerFailures returns what may be in the file afterwards. Operations on
// directories get to the disk in their order; failures after fewer of them are
// those of a saboteur that came earlier.
func (m *memory) powerFailures() []string {
	var found []string
	for _, names := range []map[string]*inode{m.names, m.flushed} {
		if node := names["state"]; node == nil {
			found = append(found, "no file")
		} else {
			kept, all := node.flushed, node.content
			found = append(found, string(kept), string(all), string(all[:max(len(kept), len(all)/2)]))
		}
	}
	return found
}

// afterPowerFailures cuts the power at every operation of a Write, and the
// next time too, and returns what was wrong.
func afterPowerFailures(t *testing.T, careless memory) (wrong []string) {
	const before, after, last = "the old content", "what shall replace it", "something else again"
	everyFault(t, func(_ *testing.T, first *saboteur) {
		m := newMemory(before)
		m.carelessFiles, m.carelessDirectories = careless.carelessFiles, careless.carelessDirectories
		err := first.on(m.disk()).write("state", 0o600, []byte(after))
		for _, found := range m.powerFailures() {
			if found != after && (err == nil || found != before) {
				wrong = append(wrong, first.broke+": "+found)
			}
		}
		if err := m.disk().write("state", 0o600, []byte(last)); err != nil {
			wrong = append(wrong, err.Error())
		}
		for _, found := range m.powerFailures() {
			if found != last {
				wrong = append(wrong, "again: "+found)
			}
		}
		if len(m.names) != 1 || len(m.flushed) != 1 && !careless.carelessDirectories {
			wrong = append(wrong, "leftovers: "+strings.Join(slices.Collect(maps.Keys(m.names)), " "))
		}
	})
	return wrong
}

func TestOneOfTheTwoFilesOutlivesAPowerFailure(t *testing.T) {
	for _, wrong := range afterPowerFailures(t, memory{}) {
		t.Error(wrong)
	}
	// The check would have noticed.
	if len(afterPowerFailures(t, memory{carelessFiles: true})) == 0 {
		t.Error("files need not be flushed")
	}
	if len(afterPowerFailures(t, memory{carelessDirectories: true})) == 0 {
		t.Error("directories need not be flushed")
	}
}
