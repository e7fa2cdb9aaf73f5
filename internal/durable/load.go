package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// keepDamaged is how many damaged files stay for somebody to look at.
const keepDamaged = 4

// Load returns the content of the file that [Store] wrote to path.
//
// If there is none, the error wraps [fs.ErrNotExist]. If it is damaged, the
// error wraps [ErrDamaged], and the file was renamed to setAside, so that the
// next Load finds none: path and ".damaged-" and the time in seconds since
// 1970, or the next number that is free. The four latest of them are kept. If
// it could not be renamed, it is still there, and setAside is empty. A file of
// another version stays where it is, with an error that wraps [ErrVersion].
//
// Load may be called at any time in the process that writes the file. No other
// process should write it meanwhile: what that wrote could be set aside in
// place of the damaged file.
func Load(path string) (content []byte, setAside string, err error) {
	one.Lock()
	defer one.Unlock()
	return host.load(path)
}

func (d disk) load(path string) (content []byte, setAside string, err error) {
	sealed, err := d.readFile(path)
	if err != nil {
		return nil, "", fmt.Errorf("durable: load: %w", err)
	}
	content, err = Open(sealed)
	if !errors.Is(err, ErrDamaged) {
		if err != nil {
			err = fmt.Errorf("durable: load %s: %w", path, err)
		}
		return content, "", err
	}
	setAside, failed := d.setAside(path)
	if failed != nil {
		// What failed is told and not wrapped, lest somebody takes it for the
		// reason why there is no content.
		return nil, "", fmt.Errorf("durable: load %s: %w, which cannot be set aside: %s", path, err, failed.Error())
	}
	return nil, setAside, fmt.Errorf("durable: load %s: %w, set aside as %s", path, err, setAside)
}

// setAside renames a damaged file, and removes those that were set aside
// before the latest.
func (d disk) setAside(path string) (string, error) {
	// Without knowing the others we could replace one of them.
	entries, err := d.readDir(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	earlier := damagedTimes(entries, filepath.Base(path))
	// The clock may have been set back. The latest has the highest number all
	// the same, or it would be the next to be removed.
	now := max(d.now().Unix(), 0)
	if n := len(earlier); n > 0 {
		now = max(now, earlier[n-1]+1)
	}
	name := damaged(path, now)
	if err := d.rename(path, name); err != nil {
		return "", err
	}
	for i := range len(earlier) - (keepDamaged - 1) {
		_ = d.remove(damaged(path, earlier[i])) // the next time tries again
	}
	return name, nil
}

// damaged returns the name under which a file is set aside.
func damaged(path string, seconds int64) string {
	return path + ".damaged-" + strconv.FormatInt(seconds, 10)
}

// damagedTimes returns the times in the names of the files that were set
// aside, the earliest first.
func damagedTimes(entries []fs.DirEntry, base string) []int64 {
	var times []int64
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), base+".damaged-")
		if !ok || e.IsDir() {
			continue
		}
		// Only names that we would give: no sign, no leading zero.
		at, err := strconv.ParseInt(digits, 10, 62)
		if err == nil && damaged(base, at) == e.Name() && at >= 0 {
			times = append(times, at)
		}
	}
	slices.Sort(times)
	return times
}
