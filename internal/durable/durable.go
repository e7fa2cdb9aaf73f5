// Package durable keeps files that are whole or not there, whatever fails in
// between: the disk, the program or the power.
//
// [Write] replaces a file as one step. [Seal] and [Open] let a reader tell
// whether a file is what was written. [Store] and [Load] do both.
package durable

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// one makes everything that this process does to files happen one after
// another. Other processes are kept apart by the way in which files are
// written; but Windows does not replace a file that somebody has open, and
// Load could set aside a good file that took the place of a damaged one.
var one sync.Mutex

// Write makes content the file at path, with the permissions of mode, whatever
// the umask is. The directory must exist. What else path was is replaced; of a
// symbolic link that is the link.
//
// After an error the file is as it was, with one exception: if only the
// directory could not be flushed, the new file is in place, but may be the old
// one again after a power failure. In no case is it anything but one of the
// two, and writing once more is always right.
//
// Files that earlier calls for the same path left behind because their process
// died are removed.
//
// Write may be called at any time, by several processes too; the last one
// wins. On Windows it fails while another process has the file open.
func Write(path string, mode fs.FileMode, content []byte) error {
	one.Lock()
	defer one.Unlock()
	return host.write(path, mode, content)
}

// Store writes content sealed, as [Write] does, so that [Load] finds it.
func Store(path string, mode fs.FileMode, content []byte) error {
	return Write(path, mode, Seal(content))
}

func (d disk) write(path string, mode fs.FileMode, content []byte) error {
	if err := d.replace(path, mode.Perm(), content); err != nil {
		return fmt.Errorf("durable: write %s: %w", path, err)
	}
	return nil
}

// replace writes a file beside path, and gives it that name when all of it is
// on the disk.
func (d disk) replace(path string, mode fs.FileMode, content []byte) error {
	dir, base := filepath.Dir(path), filepath.Base(path)
	d.sweep(dir, base)
	// It is opened before it is needed, for afterwards it would be too late
	// to keep the old file.
	parent, err := d.openDir(dir)
	if err != nil {
		return err
	}
	defer parent.Close()
	temp := filepath.Join(dir, temporary(base)+rand.Text())
	f, err := d.create(temp, mode&0o600)
	if err != nil {
		return err
	}
	if err = fill(f, mode, content); err == nil {
		err = d.rename(temp, path)
	}
	if err != nil {
		_ = d.remove(temp) // the next call tries again
		return err
	}
	return parent.Sync()
}

// fill makes f a file with that mode and content, flushes and closes it. The
// mode comes first, so that nobody reads what they may not.
func fill(f file, mode fs.FileMode, content []byte) error {
	err := f.Chmod(mode)
	if err == nil {
		_, err = f.Write(content)
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// temporary is how the names of temporary files for a file begin. What follows
// is the text of 128 random bits.
func temporary(base string) string { return "." + base + ".selkie-" }

// isTemporary reports whether a name is that of a temporary file for a file.
func isTemporary(name, base string) bool {
	text, ok := strings.CutPrefix(name, temporary(base))
	return ok && len(text) >= 26 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// leftover is how old a temporary file is of which we think that nobody will
// finish it. If we are wrong, its writer fails and the old file stays.
const leftover = time.Minute

// sweep removes the temporary files that others have left behind. That it did
// not succeed is no reason for not writing.
func (d disk) sweep(dir, base string) {
	entries, _ := d.readDir(dir) // those that could be read
	for _, e := range entries {
		if !e.Type().IsRegular() || !isTemporary(e.Name(), base) {
			continue
		}
		// A file from the future was written before the clock was set.
		if info, err := e.Info(); err == nil && d.now().Sub(info.ModTime()).Abs() > leftover {
			_ = d.remove(filepath.Join(dir, e.Name()))
		}
	}
}
