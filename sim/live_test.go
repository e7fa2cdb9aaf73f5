package sim

import (
	"strings"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// numbered returns the nodes from one number to another.
func numbered(from, to uint32) Set {
	s := Set{}
	for n := from; n <= to; n++ {
		s = append(s, n)
	}
	return s
}

// trouble draws a plan in which some things go wrong, for these tests.
func trouble(seed uint64) Plan {
	d := roll(seed, "trouble")
	n := d.between(2, 24)
	p := Plan{Seed: seed, Profile: LAN.Name, Nodes: n, Form: 10 * time.Second, For: d.duration(time.Minute, 6*time.Minute), Restart: d.below(2) == 0}
	some := func() Set {
		s := Set{}
		for i := range n {
			if d.below(3) == 0 {
				s = append(s, uint32(i))
			}
		}
		return s
	}
	for i := range d.between(0, 6) {
		f := Fault{Name: string(rune('a' + i)), At: d.duration(0, p.For), For: d.duration(0, 2*time.Minute), Nodes: some()}
		switch d.below(8) {
		case 0:
			f.Kind, f.Link = FaultLink, &Link{Cut: true}
		case 1:
			f.Kind, f.Link, f.To = FaultLink, &Link{Cut: true}, some()
		case 2:
			f.Kind, f.Link, f.Nodes = FaultLink, &Link{Loss: 0.05 * float64(d.between(1, 8))}, nil
		case 3:
			f.Kind = FaultPause
		case 4:
			f.Kind = FaultRestart
			f.For = 0
		case 5:
			f.Kind = FaultLeave
			f.For = 0
		default:
			f.Kind = FaultCrash
			if d.below(2) == 0 {
				f.For = 0
			}
		}
		p.Faults = append(p.Faults, f)
	}
	p.Core = some()
	if d.below(2) == 0 || len(p.Core) == 0 {
		p.Core = numbered(0, uint32(n-1))
	}
	return p
}

func TestTroubledClustersHeal(t *testing.T) {
	seeds := uint64(60)
	if testing.Short() {
		seeds = 10
	}
	held, took := map[string]int{}, time.Duration(0)
	for seed := range seeds {
		r := trouble(seed).Run(nil)
		for _, v := range r.Violations {
			t.Errorf("seed %d: %v", seed, v)
		}
		for _, p := range r.Promises {
			if p.Checked > 0 {
				held[p.Invariant]++
			}
			if p.Invariant == "L3" {
				took = max(took, p.Took)
			}
		}
	}
	t.Logf("held: %v; the longest healing took %v", held, took)
	for _, name := range []string{"L1", "L3", "L5", "L7", "L8", "L9", "S16"} {
		if held[name] == 0 {
			t.Errorf("%s was never put to the test", name)
		}
	}
}

// breaks runs a plan and expects it to break one promise, at least.
func breaks(t *testing.T, r Result, invariant, text string) {
	t.Helper()
	for _, v := range r.Violations {
		if v.Invariant == invariant && strings.Contains(v.Text, text) {
			return
		}
	}
	t.Errorf("%s held; instead: %v", invariant, r.Violations)
}

var _ = swim.Off
