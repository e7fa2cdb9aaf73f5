package main

import (
	"errors"
	"fmt"
	"testing"
)

func TestReloadLeavesTagsAloneThatWereChangedSince(t *testing.T) {
	var now map[string]string
	var broken error
	b := newTagbook(map[string]string{"zone": "a", "role": "db"}, func(tags map[string]string) error {
		if broken == nil {
			now = tags
		}
		return broken
	})
	step := func(what, want string) {
		t.Helper()
		if got := fmt.Sprint(b.tags()); got != want || fmt.Sprint(now) != want {
			t.Errorf("after %s: %s, and the node has %v; want %s", what, got, now, want)
		}
	}
	if _, err := b.change(map[string]string{"more": "yes"}, []string{"role"}); err != nil {
		t.Fatal(err)
	}
	step("a change", "map[more:yes zone:a]")
	if changed, err := b.configure(map[string]string{"zone": "b", "role": "web"}); !changed || err != nil {
		t.Error(changed, err)
	}
	step("a reload", "map[more:yes zone:b]")
	if changed, err := b.configure(map[string]string{"zone": "b"}); changed || err != nil {
		t.Error(changed, err)
	}
	if _, err := b.change(map[string]string{"role": "cache"}, []string{"more"}); err != nil {
		t.Fatal(err)
	}
	step("a change back", "map[role:cache zone:b]")
	broken = errors.New("too big")
	if _, err := b.change(map[string]string{"zone": "c"}, nil); err == nil {
		t.Error("it did not fail")
	}
	if _, err := b.configure(nil); err == nil {
		t.Error("it did not fail")
	}
	step("failures", "map[role:cache zone:b]")
}
