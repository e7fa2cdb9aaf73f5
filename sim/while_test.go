package sim

import (
	"testing"
	"time"
)

func TestRunEndsWhenNobodyWantsItAnyMore(t *testing.T) {
	plan := Plan{Seed: 1, Profile: "lan", Nodes: 4, Form: 10 * time.Second, For: time.Hour}
	asked := 0
	r, whole := plan.RunWhile(nil, func(w *World) bool {
		asked++
		return w.Now().Sub(0) < time.Minute
	})
	if whole {
		t.Error("said to be whole")
	}
	if r.Hash != 0 || r.NodeHours != 0 || len(r.Violations) > 0 {
		t.Errorf("speaks of what it did not do: %+v", r)
	}
	before := asked
	if plan.RunWhile(nil, func(*World) bool { asked++; return asked < before+3 }); asked != before+3 {
		t.Errorf("asked %d times, and %d times after that", before, asked-before)
	}
}

func TestRunThatMayGoOnIsTheSame(t *testing.T) {
	plan := Draw(5, Mix{MaxNodes: 8, Least: time.Minute, Most: time.Minute})
	r, whole := plan.RunWhile(nil, func(*World) bool { return true })
	if !whole {
		t.Error("not whole")
	}
	if want := plan.Run(nil); r.Hash != want.Hash || r.NodeHours != want.NodeHours {
		t.Errorf("%x in %v node-hours, want %x in %v", r.Hash, r.NodeHours, want.Hash, want.NodeHours)
	}
}
