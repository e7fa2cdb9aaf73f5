package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// openKeyFile reads a key file at the start of an agent. It is called by its
// whole path from then on, because others rewrite it.
func openKeyFile(path string) (*keyFile, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	file, err := readKeyFile(whole)
	if err != nil {
		return nil, fail(exitUsage, "--key-file: %w", err)
	}
	return file, nil
}

// reloadable are the settings that a running agent can change. The content of
// the key file is another one.
var reloadable = []string{"log-level", "tag", "join"}

// reload reads again what can change while the agent runs: log level, tags,
// seeds, and the keys of the key file. If anything of that is wrong, all of it
// stays what it was.
func (g *agent) reload() (reloadInfo, error) {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	info, err := g.tryReload()
	if err != nil {
		g.log.Error("not reloaded: all settings stay what they were", "error", err)
		return info, err
	}
	g.log.Info("reloaded", "changed", info.Changed, "needs_restart", info.Restart)
	return info, nil
}

func (g *agent) tryReload() (reloadInfo, error) {
	info := reloadInfo{Changed: []string{}, Restart: []string{}}
	next, err := loadSettings(g.flags, osEnvironment())
	if err != nil {
		return info, err
	}
	if err := next.checkSeeds(); err != nil {
		return info, err
	}
	tags, err := g.tags.configure(next.tags)
	if err != nil {
		return info, err
	}
	if g.keys != nil {
		changed, err := g.keys.reload()
		if err != nil {
			if _, undo := g.tags.configure(g.now.tags); undo != nil {
				return info, fmt.Errorf("%w; and the tags of before could not be set again: %w", err, undo)
			}
			return info, err
		}
		if changed {
			info.Changed = append(info.Changed, "keys")
		}
	}
	for _, name := range next.differs(g.now) {
		if slices.Contains(reloadable, name) && (name != "tag" || tags) {
			info.Changed = append(info.Changed, name)
		}
	}
	for _, name := range next.differs(g.set) {
		if !slices.Contains(reloadable, name) {
			info.Restart = append(info.Restart, name)
		}
	}
	g.level.Set(next.slogLevel())
	g.seeds.use(next.join)
	g.now = next
	return info, nil
}

// state is all that an agent knows.
type state struct {
	Time    time.Time    `json:"time"`
	Self    memberInfo   `json:"self"`
	Members []memberInfo `json:"members"`
	Stats   statsInfo    `json:"stats"`
	Keys    []keyInfo    `json:"keys,omitempty"`
}

// dump prints all that the agent knows to where the log goes, as one line.
func (g *agent) dump() {
	s := state{
		Time:    time.Now(),
		Self:    describe(g.node.Self()),
		Members: describeAll(g.node.Members()),
		Stats:   describeStats(g.node.Stats()),
	}
	if g.keys != nil {
		s.Keys = g.keys.describe().Keys
	}
	if err := printLine(g.err, s); err != nil {
		g.log.Error("state not printed", "error", err)
	}
}
