package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/internal/durable"
)

// maxKeyFile is the most bytes that a key file may have.
const maxKeyFile = 64 << 10

// A keyFile is a file of keys, one a line: the key in base64, and behind one
// that is being retired until when it is accepted. The first key that is not
// being retired is the primary one. Nothing of a file gets into an error but
// its name and the number of a line.
type keyFile struct {
	path  string
	lines []keyLine
}

// A keyLine is a line with a key, or one that is a comment or empty.
type keyLine struct {
	text    string // of a line without a key
	isKey   bool
	key     selkie.Key
	retired time.Time // until when it is accepted; zero means for ever
}

// errUnknownKey says that a file has no key of a name.
var errUnknownKey = errors.New("no such key")

// readKeyFile reads a file that nobody else may read.
func readKeyFile(path string) (*keyFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("key file %s: others than its owner may use it (mode %04o): chmod 600 %[1]s", path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("key file: %w", err)
	case len(text) > maxKeyFile:
		return nil, fmt.Errorf("key file %s: it has more than %d bytes", path, maxKeyFile)
	}
	return parseKeyFile(path, text)
}

// parseKeyFile reads the text of the file at path. One key at least must not
// be retired.
func parseKeyFile(path string, text []byte) (*keyFile, error) {
	f := &keyFile{path: path}
	seen := make(map[selkie.Key]int)
	number := 0
	for line := range bytes.Lines(text) {
		number++
		l, err := parseKeyLine(strings.TrimRight(string(line), "\r\n"))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, number, err)
		}
		if first := seen[l.key]; l.isKey && first != 0 {
			return nil, fmt.Errorf("%s:%d: key %v is in line %d already", path, number, l.key.ID(), first)
		}
		if l.isKey {
			seen[l.key] = number
		}
		f.lines = append(f.lines, l)
	}
	if f.primary() < 0 {
		return nil, fmt.Errorf("%s: it has no key that is not retired", path)
	}
	return f, nil
}

func parseKeyLine(text string) (l keyLine, err error) {
	fields := strings.Fields(text)
	if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
		return keyLine{text: text}, nil
	}
	l.isKey = true
	if l.key, err = selkie.ParseKey(fields[0]); err != nil {
		return l, errors.New("the line does not begin with a key: 32 bytes in base64")
	}
	for _, field := range fields[1:] {
		until, ok := strings.CutPrefix(field, "retired=")
		if !ok {
			return l, fmt.Errorf("behind key %v there may only be retired= and a time", l.key.ID())
		}
		l.retired, err = time.Parse(time.RFC3339, until)
		if year := l.retired.UTC().Year(); err != nil || year < 1970 || year > 9999 {
			return l, fmt.Errorf("behind retired= of key %v there must be a time as 2006-01-02T15:04:05Z", l.key.ID())
		}
	}
	return l, nil
}

// text returns the file as it is written.
func (f *keyFile) text() []byte {
	var b bytes.Buffer
	for _, l := range f.lines {
		switch {
		case !l.isKey:
			b.WriteString(l.text)
		case l.retired.IsZero():
			b.WriteString(l.key.Reveal())
		default:
			fmt.Fprintf(&b, "%s retired=%s", l.key.Reveal(), l.retired.UTC().Format(time.RFC3339))
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// primary returns the line of the key that seals, or -1.
func (f *keyFile) primary() int {
	return slices.IndexFunc(f.lines, func(l keyLine) bool { return l.isKey && l.retired.IsZero() })
}

// accepted returns the keys that are valid at a time, the primary one first,
// and when the next of them ends; zero means never.
func (f *keyFile) accepted(now time.Time) (keys []selkie.Key, until time.Time) {
	primary := f.primary()
	keys = append(keys, f.lines[primary].key)
	for i, l := range f.lines {
		switch {
		case !l.isKey || i == primary:
		case l.retired.IsZero():
			keys = append(keys, l.key)
		case l.retired.After(now):
			keys = append(keys, l.key)
			if until.IsZero() || l.retired.Before(until) {
				until = l.retired
			}
		}
	}
	return keys, until
}

// find returns the line of a key.
func (f *keyFile) find(id selkie.KeyID) (int, error) {
	i := slices.IndexFunc(f.lines, func(l keyLine) bool { return l.isKey && l.key.ID() == id })
	if i < 0 {
		return i, fmt.Errorf("%w: %v is not in %s", errUnknownKey, id, f.path)
	}
	return i, nil
}

// add returns the file with a key that is accepted and not used. One that was
// being retired no longer is.
func (f *keyFile) add(key selkie.Key) *keyFile {
	next := &keyFile{path: f.path, lines: slices.Clone(f.lines)}
	for i, l := range next.lines {
		if l.isKey && l.key == key {
			primary := next.primary()
			next.lines[i].retired = time.Time{}
			if i < primary { // it must not become the primary one
				line := next.lines[i]
				next.lines = slices.Insert(slices.Delete(next.lines, i, i+1), primary, line)
			}
			return next
		}
	}
	next.lines = append(next.lines, keyLine{isKey: true, key: key})
	return next
}

// use returns the file with a key of it as the primary one.
func (f *keyFile) use(id selkie.KeyID) (*keyFile, error) {
	i, err := f.find(id)
	if err != nil {
		return nil, err
	}
	line := f.lines[i]
	if !line.retired.IsZero() {
		return nil, fmt.Errorf("key %v is being retired: add it again first", id)
	}
	primary := f.primary()
	next := &keyFile{path: f.path, lines: slices.Delete(slices.Clone(f.lines), i, i+1)}
	next.lines = slices.Insert(next.lines, primary, line) // all before it are no keys, or retired
	return next, nil
}

// retire returns the file with a key of it accepted until a time and no longer.
func (f *keyFile) retire(id selkie.KeyID, until time.Time) (*keyFile, error) {
	i, err := f.find(id)
	if err != nil {
		return nil, err
	}
	next := &keyFile{path: f.path, lines: slices.Clone(f.lines)}
	next.lines[i].retired = until
	if next.primary() < 0 {
		return nil, fmt.Errorf("key %v is the only one: add another one and use it first", id)
	}
	return next, nil
}

// write puts the file in the place of what is there. A symbolic link stays
// one, and the owner of the file its owner, as far as we may say so.
func (f *keyFile) write() error {
	path, err := filepath.EvalSymlinks(f.path)
	if err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	before, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	if err := durable.Write(path, 0o600, f.text()); err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	keepOwner(path, before)
	return nil
}
