package main

import (
	"maps"
	"sync"
)

// A tagbook is the tags of an agent: those of its settings, and what was
// changed since it started, which a reload leaves alone.
type tagbook struct {
	set func(map[string]string) error // of the node

	mu         sync.Mutex
	configured map[string]string
	changed    map[string]string // set since the start
	unset      map[string]bool   // taken away since
}

func newTagbook(configured map[string]string, set func(map[string]string) error) *tagbook {
	return &tagbook{set: set, configured: configured}
}

// tags returns the tags as they are.
func (b *tagbook) tags() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return overlay(b.configured, b.changed, b.unset)
}

// overlay returns tags after changes.
func overlay(configured, changed map[string]string, unset map[string]bool) map[string]string {
	tags := make(map[string]string)
	maps.Copy(tags, configured)
	maps.Copy(tags, changed)
	maps.DeleteFunc(tags, func(key, _ string) bool { return unset[key] })
	return tags
}

// change sets some tags and takes others away.
func (b *tagbook) change(set map[string]string, unset []string) (map[string]string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	changed, gone := overlay(b.changed, set, nil), make(map[string]bool)
	maps.Copy(gone, b.unset)
	for key := range set {
		delete(gone, key)
	}
	for _, key := range unset {
		delete(changed, key)
		gone[key] = true
	}
	tags := overlay(b.configured, changed, gone)
	if err := b.set(tags); err != nil {
		return nil, err
	}
	b.changed, b.unset = changed, gone
	return tags, nil
}

// configure replaces the tags of the settings.
func (b *tagbook) configure(configured map[string]string) (changed bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before, after := overlay(b.configured, b.changed, b.unset), overlay(configured, b.changed, b.unset)
	if changed = !maps.Equal(before, after); changed {
		if err := b.set(after); err != nil {
			return false, err
		}
	}
	b.configured = configured
	return changed, nil
}
