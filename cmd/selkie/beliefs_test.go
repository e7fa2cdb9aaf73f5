package main

import "testing"

func TestBeliefsFollowTheEvents(t *testing.T) {
	var b beliefs
	for _, step := range []struct {
		event eventInfo
		alive int
	}{
		{eventInfo{Kind: "up", Addr: "early", State: "alive"}, 0}, // follows on nothing
		{eventInfo{Kind: "snapshot", Members: []memberInfo{{Addr: "a", State: "alive"}, {Addr: "b", State: "left"}}}, 1},
		{eventInfo{Kind: "up", Addr: "b", State: "alive", Generation: 2}, 2},
		{eventInfo{Kind: "up", Addr: "c", State: "alive"}, 3},
		{eventInfo{Kind: "renamed", Addr: "c", State: "alive", Generation: 1}, 3},
		{eventInfo{Kind: "suspect", Addr: "c", State: "suspect", Generation: 1}, 2},
		{eventInfo{Kind: "down", Addr: "c", State: "down", Generation: 1}, 2},
		{eventInfo{Kind: "snapshot", Members: []memberInfo{{Addr: "a", State: "alive"}}}, 1}, // events were lost
	} {
		if b = b.learn(step.event); b.alive() != step.alive {
			t.Errorf("after %s %s: %d are alive, want %d: %v", step.event.Kind, step.event.Addr, b.alive(), step.alive, b)
		}
	}
}
