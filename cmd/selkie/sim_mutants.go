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
seed; the medians and maxima of the table are over those. A seed that caught a
bug is also run without it, and must pass then. If a bug is not caught within
--seeds, the exit code is 1.

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

	plan func(seed uint64) sim.Plan
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
	// Of the seeds that it took, the last one included.
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

// A catch is a run that found a bug.
type catch struct {
	seed      uint64
	seeds     int // that it took; 0 if it was not found
	invariant string
}

// find looks for a bug that is planted as often as it should.
func (h *hunt) find(ctx context.Context) []catch {
	catches := make([]catch, h.repeat)
	h.each(h.repeat, func(i int) {
		first := h.first + uint64(i*h.seeds)
		for k := range h.seeds {
			if ctx.Err() != nil {
				return
			}
			if v := h.try(ctx, first+uint64(k)); v != nil {
				catches[i] = catch{first + uint64(k), k + 1, v.Invariant}
				return
			}
		}
	})
	return catches
}

// try runs a seed until a promise does not hold, and returns which.
func (h *hunt) try(ctx context.Context, seed uint64) *sim.Violation {
	r, _ := rehearse(func() sim.Plan { return h.plan(seed) }, nil, func(w *sim.World) bool {
		return len(w.Violations) == 0 && ctx.Err() == nil
	})
	if len(r.Violations) == 0 {
		return nil
	}
	return &r.Violations[0]
}

// doubtful returns the seeds that break a promise although no bug is planted.
func (h *hunt) doubtful(ctx context.Context, catches []catch) []uint64 {
	var mu sync.Mutex
	var seeds []uint64
	h.each(len(catches), func(i int) {
		if catches[i].seeds > 0 && h.try(ctx, catches[i].seed) != nil {
			mu.Lock()
			defer mu.Unlock()
			seeds = append(seeds, catches[i].seed)
		}
	})
	slices.Sort(seeds)
	return seeds
}

// each calls do for every number below n, several at once.
func (h *hunt) each(n int, do func(int)) {
	var workers sync.WaitGroup
	room := make(chan struct{}, h.jobs)
	for i := range n {
		room <- struct{}{}
		workers.Go(func() {
			do(i)
			<-room
		})
	}
	workers.Wait()
}

// sum sums up what it took to find a bug.
func (p *plantable) sum(catches []catch, doubtful []uint64) mutantInfo {
	info := mutantInfo{Name: p.name, Does: p.does, Breaks: p.breaks, CaughtBy: map[string]int{}, Repeat: len(catches), Doubtful: doubtful}
	var took []int
	for _, c := range catches {
		if c.seeds > 0 {
			info.Caught++
			info.CaughtBy[c.invariant]++
			took = append(took, c.seeds)
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
	defer plant(0)
	for _, p := range some {
		plant(p.number)
		catches := h.find(ctx)
		plant(0)
		info := p.sum(catches, h.doubtful(ctx, catches))
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
	missed, doubtful := 0, 0
	for _, m := range infos {
		if m.Caught < m.Repeat {
			missed++
			fmt.Fprintf(a.err, "%s was caught %d of %d times within %d seeds\n", m.Name, m.Caught, m.Repeat, h.seeds)
		}
		for _, seed := range m.Doubtful {
			doubtful++
			fmt.Fprintf(a.err, "%s    # breaks a promise without a bug, too\n", h.replay(seed))
		}
	}
	switch {
	case missed > 0:
		return fail(exitFailed, "%d of %d bugs got away", missed, len(infos))
	case doubtful > 0:
		return fail(exitFailed, "%d seeds break a promise without a bug, too", doubtful)
	}
	if a.output == "text" {
		fmt.Fprintf(a.err, "all %d bugs were caught\n", len(infos))
	}
	return nil
}
