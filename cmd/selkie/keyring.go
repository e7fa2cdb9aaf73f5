package main

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/swim"
)

// A keyring is the keys of an agent: those of its file, of which it drops each
// when its time is over.
type keyring struct {
	log  *slog.Logger
	node keyNode
	// quiet is how long nobody must have used a key before it is retired, and
	// grace how long it is then accepted still, if nobody says how long.
	quiet, grace time.Duration

	mu    sync.Mutex
	file  *keyFile // as it is in force
	alarm *time.Timer
}

// A keyNode is what a keyring needs of a node.
type keyNode interface {
	Keys() []selkie.KeyStatus
	ReloadKeys(keys ...selkie.Key) error
}

// errKeyInUse says that to change a key would cut somebody off.
var errKeyInUse = errors.New("somebody would be cut off")

// quietTime is how long nobody must have used a key before it is retired: long
// enough that nobody is on the way to use it.
func quietTime(protocol swim.Config, members int) time.Duration {
	return max(10*time.Minute, 2*longestSuspicion(protocol.WithDefaults(), members))
}

// longestSuspicion is how long a member may be doubted at the most, with the
// probe that leads to it.
func longestSuspicion(c swim.Config, members int) time.Duration {
	digits := 1
	for n := members; n >= 100; n /= 10 {
		digits++
	}
	probe := time.Duration(c.MaxHealth+1) * c.Period
	return probe + time.Duration(c.SuspicionFactor*c.MaxSuspicion*(digits+1))*c.Period
}

// attach gives the keyring its node, whose keys are those of the file already.
func (k *keyring) attach(node keyNode) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.node = node
	_, until := k.file.accepted(time.Now())
	k.arm(until)
}

// arm sets the alarm for when the next key ends. The mutex is held.
func (k *keyring) arm(until time.Time) {
	if k.alarm != nil {
		k.alarm.Stop()
		k.alarm = nil
	}
	if !until.IsZero() {
		k.alarm = time.AfterFunc(max(time.Until(until), 0), k.expire)
	}
}

// expire drops the keys whose time is over.
func (k *keyring) expire() {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := len(k.node.Keys())
	if err := k.install(k.file); err != nil {
		if !errors.Is(err, selkie.ErrClosed) {
			k.log.Error("retired keys not dropped", "error", err)
		}
		return
	}
	k.log.Info("retired keys dropped", "before", before, "keys", len(k.node.Keys()))
}

// close ends the alarm.
func (k *keyring) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.arm(time.Time{})
}

// install puts the keys of a file in force. The mutex is held.
func (k *keyring) install(f *keyFile) error {
	keys, until := f.accepted(time.Now())
	if err := k.node.ReloadKeys(keys...); err != nil {
		return err
	}
	k.file = f
	k.arm(until)
	return nil
}

// reload reads the file again. If it can not be used, the keys stay what they
// were.
func (k *keyring) reload() (changed bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	next, err := readKeyFile(k.file.path)
	if err != nil {
		return false, err
	}
	before, _ := k.file.accepted(time.Now())
	if err := k.install(next); err != nil {
		return false, err
	}
	after, _ := next.accepted(time.Now())
	return !slices.Equal(before, after), nil
}

// change writes a file that follows on what is on the disk, and puts it in
// force. The mutex is held.
func (k *keyring) change(edit func(*keyFile) (*keyFile, error)) error {
	before, err := readKeyFile(k.file.path)
	if err != nil {
		return err
	}
	next, err := edit(before)
	if err != nil {
		return err
	}
	if err := next.write(); err != nil {
		return err
	}
	if err := k.install(next); err != nil {
		return errors.Join(err, before.write())
	}
	return nil
}

// status returns what the node knows of a key.
func (k *keyring) status(id selkie.KeyID) selkie.KeyStatus {
	for _, s := range k.node.Keys() {
		if s.ID == id {
			return s
		}
	}
	return selkie.KeyStatus{ID: id}
}

// use lets a key be the one that seals. Unless it is forced, every active
// member must accept it.
func (k *keyring) use(id selkie.KeyID, force bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, err := k.file.find(id); err != nil {
		return err
	}
	if missing := k.status(id).Missing; len(missing) > 0 && !force {
		return fmt.Errorf("%w: %s not accept key %v yet: %s", errKeyInUse, countOf(len(missing), "member does", "members do"), id, listMembers(missing))
	}
	return k.change(func(f *keyFile) (*keyFile, error) { return f.use(id) })
}

// retire lets a key be accepted for a grace and no longer. Unless it is forced,
// nobody may seal with it, or have done so lately.
func (k *keyring) retire(id selkie.KeyID, force bool, grace time.Duration) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, err := k.file.find(id); err != nil {
		return err
	}
	if err := k.inUse(k.status(id)); err != nil && !force {
		return err
	}
	return k.change(func(f *keyFile) (*keyFile, error) {
		// The file has whole seconds.
		return f.retire(id, time.Now().Add(grace).Truncate(time.Second))
	})
}

// inUse says who uses a key, if anybody does.
func (k *keyring) inUse(s selkie.KeyStatus) error {
	if s.Primary {
		return fmt.Errorf("%w: this agent seals with key %v: use another one first", errKeyInUse, s.ID)
	}
	if len(s.Using) > 0 {
		return fmt.Errorf("%w: %s with key %v, or does not say: %s", errKeyInUse, countOf(len(s.Using), "member seals", "members seal"), s.ID, listMembers(s.Using))
	}
	if ago := time.Since(s.Heard); !s.Heard.IsZero() && ago < k.quiet {
		return fmt.Errorf("%w: a packet under key %v came %v ago: wait until it is %v", errKeyInUse, s.ID, ago.Round(time.Second), k.quiet)
	}
	return nil
}

// describe returns what is known of all keys.
func (k *keyring) describe() keysInfo {
	k.mu.Lock()
	file := k.file
	k.mu.Unlock()
	info := keysInfo{File: file.path, Keys: []keyInfo{}}
	for _, s := range k.node.Keys() {
		key := keyInfo{ID: s.ID.String(), Held: s.Held, Primary: s.Primary, Missing: refs(s.Missing), Using: refs(s.Using)}
		if !s.Heard.IsZero() {
			key.Heard = &s.Heard
		}
		if i, err := file.find(s.ID); err == nil && s.Held && !file.lines[i].retired.IsZero() {
			key.Retired = &file.lines[i].retired
		}
		info.Keys = append(info.Keys, key)
	}
	return info
}

func refs(members []selkie.Member) []memberRef {
	all := make([]memberRef, 0, len(members))
	for _, m := range members {
		d := describe(m)
		all = append(all, memberRef{d.Name, d.Addr})
	}
	return all
}

// listMembers names some members in a sentence.
func listMembers(members []selkie.Member) string {
	const most = 10
	var names []string
	for _, m := range members[:min(len(members), most)] {
		names = append(names, describe(m).called())
	}
	if more := len(members) - most; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// countOf says how many of something there are.
func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
