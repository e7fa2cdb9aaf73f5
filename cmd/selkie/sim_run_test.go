package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/selkie-go/selkie/sim"
	"github.com/spf13/cobra"
)

func TestNodesOfAFault(t *testing.T) {
	s := &script{nodes: 6, seed: 1}
	for text, want := range map[string]string{
		"3":           "[[3]]",
		"0,2,4-5":     "[[0 2 4 5]]",
		"all":         "[[0 1 2 3 4 5]]",
		"0-2/rest":    "[[0 1 2] [3 4 5]]",
		"rest/1/2":    "[[0 3 4 5] [1] [2]]",
		"random:6":    "[[0 1 2 3 4 5]]",
		"0/1/2/3,4,5": "[[0] [1] [2] [3 4 5]]",
	} {
		groups, err := s.groups(text, 0)
		if got := fmt.Sprint(groups); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", text, got, err, want)
		}
	}
}

func TestRandomNodesFollowFromTheSeed(t *testing.T) {
	draw := func(seed uint64, number int) string {
		groups, err := (&script{nodes: 1000, seed: seed}).groups("random:5", number)
		if err != nil || len(groups[0]) != 5 {
			t.Fatal(groups, err)
		}
		return fmt.Sprint(groups)
	}
	if first, again := draw(1, 0), draw(1, 0); first != again {
		t.Error("not the same twice")
	}
	if draw(1, 0) == draw(2, 0) || draw(1, 0) == draw(1, 1) {
		t.Error("the same for another seed or another flag")
	}
}

func TestNewcomersHaveNumbersOfTheirOwn(t *testing.T) {
	s := &script{nodes: 6, span: time.Minute, profile: "lan", heal: true}
	join := &faultVerbs[slices.IndexFunc(faultVerbs, func(v faultVerb) bool { return v.kind == sim.FaultJoin })]
	s.faults = []faultFlag{{join, "2@10s+20s"}, {join, "1@0s"}}
	p, err := s.plan(&cobra.Command{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(p.Faults[0].Nodes, p.Faults[1].Nodes, p.Core); got != "[6 7] [8] [0 1 2 3 4 5 6 7 8]" {
		t.Error(got)
	}
}

func TestKeysAreReplacedOnlyWhereThereAreSome(t *testing.T) {
	rotate := &faultVerbs[slices.IndexFunc(faultVerbs, func(v faultVerb) bool { return v.kind == sim.FaultRotate })]
	for text, want := range map[string]bool{"10s@1m+30s": true, "0s@0s+1s": true, "10s@1m": false, "3@1m+30s": false, "-1s@1m+30s": false} {
		s := &script{nodes: 6, span: 5 * time.Minute, profile: "lan", faults: []faultFlag{{rotate, text}}}
		if _, err := s.plan(&cobra.Command{}, nil); err == nil {
			t.Errorf("%s: keys of a cluster that has none", text)
		}
		s.wire.name = sim.WireSealed.String()
		p, err := s.plan(&cobra.Command{}, nil)
		if (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
		if want && (p.Wire != sim.WireSealed || p.Faults[0].Kind != sim.FaultRotate || p.Faults[0].For == 0) {
			t.Errorf("%s: %v", text, p)
		}
	}
}
