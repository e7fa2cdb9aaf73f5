package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/selkie-go/selkie/sim"
	"github.com/spf13/cobra"
)

func (a *app) simMutantsCommand() *cobra.Command {
	var h hunt
	first := seedValue{seed: &h.first}
	c := &cobra.Command{
		Use:   "mutants",
		Short: "Plant known bugs, and see whether the swarm finds them",
		Long: `Plant bugs in the protocol, one at a time, and run the seeds of a swarm until a
promise does not hold. --repeat says how often, each time from another first
seed; the medians and maxima of the table are over those. A seed that catches a
bug is also run without it, and does not count if a promise is broken then, too.
If that happens, or a bug is not caught within --seeds, the exit code is 1.

The bugs are compiled in only with the build tag "mutants". Without it this
command builds itself again with it, which takes a checkout of the source.`,
		Example: "  selkie sim mutants --only believe-down,relay-twice --repeat 1",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := h.check(); err != nil {
				return err
			}
			return a.withBugs(c.Context(), func() error { return a.hunt(c.Context(), &h, plantables(), plant) })
		},
	}
	f := c.Flags()
	f.IntVar(&h.seeds, "seeds", 1000, "give up on a bug after this many seeds")
	f.IntVar(&h.repeat, "repeat", 5, "how often to look for each bug")
	f.Var(&first, "first", "the first seed")
	f.IntVar(&h.jobs, "jobs", runtime.NumCPU(), "how many runs at once")
	f.StringSliceVar(&h.only, "only", nil, "only the bugs of these names or numbers")
	h.mixture.add(c)
	return a.prints(c, "text", "json")
}

// A hunt is the search for bugs that are known to be there.
type hunt struct {
	mixture
	first  uint64
	seeds  int
	repeat int
	jobs   int
	only   []string

	plan   func(seed uint64) sim.Plan
	uproot func() // takes the planted bug away
}

// A mutantInfo is a planted bug and what it took to find it, as it is printed.
type mutantInfo struct {
	Name   string   `json:"name"`
	Does   string   `json:"does"`
	Breaks []string `json:"breaks"`
	// CaughtBy are the invariants that caught it, how often each.
	CaughtBy map[string]int `json:"caught_by"`
	Caught   int            `json:"caught"`
	Repeat   int            `json:"repeat"`
	// The seeds that it took, the last one included.
	MedianSeeds int `json:"median_seeds"`
	MaxSeeds    int `json:"max_seeds"`
	// Doubtful are the seeds that break a promise without the bug, too.
	Doubtful []uint64 `json:"doubtful,omitempty"`
}

// check says which flag makes no sense.
func (h *hunt) check() (err error) {
	switch {
	case h.seeds < 1:
		return fail(exitUsage, "--seeds %d must be at least 1", h.seeds)
	case h.repeat < 1:
		return fail(exitUsage, "--repeat %d must be at least 1", h.repeat)
	case h.jobs < 1:
		return fail(exitUsage, "--jobs %d must be at least 1", h.jobs)
	}
	h.plan, err = h.drawing()
	return err
}

// choose returns the bugs to look for.
func (h *hunt) choose(all []plantable) ([]plantable, error) {
	if len(h.only) == 0 {
		return all, nil
	}
	var some []plantable
	for _, name := range h.only {
		p, ok := findPlantable(all, name)
		if !ok {
			return nil, fail(exitUsage, "--only %s: there is no such bug", name)
		}
		some = append(some, p)
	}
	return some, nil
}

// A search is one look for a bug, from a first seed of its own.
type search struct {
	first     uint64
	tried     int // seeds so far
	caught    bool
	invariant string // that caught it
}

// seed returns the last seed that was tried.
func (s *search) seed() uint64 { return s.first + uint64(s.tried) - 1 }

// find looks for a bug as often as it should. A seed that breaks a promise
// without the bug, too, has not caught it: the search goes on behind it, and the
// seed is returned.
func (h *hunt) find(ctx context.Context, plant func()) (searches []search, doubtful []uint64) {
	searches = make([]search, h.repeat)
	open := make([]*search, h.repeat)
	for i := range searches {
		searches[i].first = h.first + uint64(i*h.seeds)
		open[i] = &searches[i]
	}
	for len(open) > 0 && ctx.Err() == nil {
		plant()
		h.each(open, func(s *search) { h.goOn(ctx, s) })
		h.uproot()
		h.each(open, func(s *search) { s.caught = s.caught && h.try(ctx, s.seed()) == "" })
		open = slices.DeleteFunc(open, func(s *search) bool { return s.caught || s.tried == h.seeds && s.invariant == "" })
		for _, s := range open {
			doubtful = append(doubtful, s.seed())
		}
		open = slices.DeleteFunc(open, func(s *search) bool { return s.tried == h.seeds })
	}
	slices.Sort(doubtful)
	return searches, slices.Compact(doubtful)
}

// goOn tries seeds until one breaks a promise.
func (h *hunt) goOn(ctx context.Context, s *search) {
	s.invariant = ""
	for s.tried < h.seeds && s.invariant == "" && ctx.Err() == nil {
		s.tried++
		s.invariant = h.try(ctx, s.seed())
	}
	s.caught = s.invariant != ""
}

// try runs a seed until a promise does not hold, and returns which.
func (h *hunt) try(ctx context.Context, seed uint64) string {
	r, _ := rehearse(func() sim.Plan { return h.plan(seed) }, nil, func(w *sim.World) bool {
		return len(w.Violations) == 0 && ctx.Err() == nil
	})
	if len(r.Violations) == 0 {
		return ""
	}
	return r.Violations[0].Invariant
}

// each calls do for every search, for several at once.
func (h *hunt) each(searches []*search, do func(*search)) {
	var workers sync.WaitGroup
	room := make(chan struct{}, h.jobs)
	for _, s := range searches {
		room <- struct{}{}
		workers.Go(func() {
			do(s)
			<-room
		})
	}
	workers.Wait()
}

// sum sums up what it took to find a bug.
func (p *plantable) sum(searches []search, doubtful []uint64) mutantInfo {
	info := mutantInfo{Name: p.name, Does: p.does, Breaks: p.breaks, CaughtBy: map[string]int{}, Repeat: len(searches), Doubtful: doubtful}
	var took []int
	for _, s := range searches {
		if s.caught {
			info.Caught++
			info.CaughtBy[s.invariant]++
			took = append(took, s.tried)
		}
	}
	if len(took) > 0 {
		slices.Sort(took)
		info.MedianSeeds, info.MaxSeeds = took[(len(took)-1)/2], took[len(took)-1]
	}
	return info
}

// hunt looks for some bugs. Plant plants one by its number; 0 is none.
func (a *app) hunt(ctx context.Context, h *hunt, all []plantable, plant func(int)) error {
	some, err := h.choose(all)
	if err != nil {
		return err
	}
	infos := []mutantInfo{}
	width := 0
	for _, p := range some {
		width = max(width, len(p.name))
	}
	if a.output == "text" {
		fmt.Fprintf(a.out, "%-*s  %-10s  %6s  %6s  %s\n", width, "BUG", "CAUGHT BY", "MEDIAN", "MAX", "WHAT IT DOES")
	}
	h.uproot = func() { plant(0) }
	for _, p := range some {
		info := p.sum(h.find(ctx, func() { plant(p.number) }))
		if ctx.Err() != nil {
			break
		}
		infos = append(infos, info)
		if a.output == "text" {
			a.printMutant(&info, width)
		}
	}
	if a.output == "json" {
		if err := printJSON(a.out, infos); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return a.judgeMutants(h, infos)
}

// printMutant prints a row as soon as it is known: the table takes a while.
func (a *app) printMutant(m *mutantInfo, width int) {
	median, most := "-", "-"
	if m.Caught > 0 {
		median, most = fmt.Sprint(m.MedianSeeds), fmt.Sprint(m.MaxSeeds)
	}
	fmt.Fprintf(a.out, "%-*s  %-10s  %6s  %6s  %s\n", width, m.Name, strings.Join(m.catchers(), " "), median, most, m.Does)
}

// catchers returns the invariants that caught it, the most frequent first.
func (m *mutantInfo) catchers() []string {
	if m.Caught == 0 {
		return []string{"nobody"}
	}
	var names []string
	for name := range m.CaughtBy {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(m.CaughtBy[b], m.CaughtBy[a]), cmp.Compare(a, b))
	})
	return names
}

// judgeMutants says which bugs got away.
func (a *app) judgeMutants(h *hunt, infos []mutantInfo) error {
	missed, doubtful := 0, map[uint64]bool{}
	for _, m := range infos {
		if m.Caught < m.Repeat {
			missed++
			fmt.Fprintf(a.err, "%s was caught %d of %d times within %d seeds\n", m.Name, m.Caught, m.Repeat, h.seeds)
		}
		for _, seed := range m.Doubtful {
			if !doubtful[seed] {
				doubtful[seed] = true
				fmt.Fprintf(a.err, "%s    # breaks a promise without a bug, too\n", h.replay(seed))
			}
		}
	}
	switch {
	case missed > 0:
		return fail(exitFailed, "%d of %d bugs got away", missed, len(infos))
	case len(doubtful) > 0:
		return fail(exitFailed, "%d seeds break a promise without a bug, too", len(doubtful))
	}
	if a.output == "text" {
		fmt.Fprintf(a.err, "all %d bugs were caught\n", len(infos))
	}
	return nil
}
