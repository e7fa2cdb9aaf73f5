package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/selkie-go/selkie/sim"
	"github.com/spf13/cobra"
)

func (a *app) simSwarmCommand() *cobra.Command {
	s := swarm{}
	first := seedValue{seed: &s.first}
	var ledger string
	c := &cobra.Command{
		Use:   "swarm",
		Short: "Run many seeds, and look for a promise that does not hold",
		Long: `Run one plan after the other, each drawn from its seed: a cluster, its
configuration, and what goes wrong in it. --seeds says how many, or --for how
long on the clock; what is under way at its end is not counted. A plan depends
on its seed and on --large, --nodes, --wire, --least and --most, on nothing else.

The seeds begin at --first, or where no other swarm began. For every seed that
broke a promise a line on standard error says how to see it again, and the exit
code is 1. A run that did not do enough to test anything counts as invalid.`,
		Example: `  selkie sim swarm --seeds 1000 --nodes 32 --least 1m --most 6m
  selkie sim swarm --for 1h -o json --ledger sim/ledger.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !first.set {
				s.first = freshSeed(time.Now())
			}
			if err := s.check(c.Flags().Changed("seeds"), c.Flags().Changed("for")); err != nil {
				return err
			}
			return a.swarm(c.Context(), &s, ledger)
		},
	}
	f := c.Flags()
	f.IntVar(&s.seeds, "seeds", 100, "how many seeds")
	f.DurationVar(&s.span, "for", 0, "how long on the clock, instead of --seeds")
	f.Var(&first, "first", "the first seed")
	f.IntVar(&s.jobs, "jobs", runtime.NumCPU(), "how many run at once")
	f.BoolVar(&s.allMarks, "all-marks", false, "fail if a mark was never reached")
	f.StringVar(&ledger, "ledger", "", "a file to which to append what was done")
	s.mixture.add(c)
	return a.prints(c, "text", "json")
}

// freshSeed returns a first seed that leaves room for a million seeds a second
// since the swarm before.
func freshSeed(now time.Time) uint64 { return uint64(now.Unix()) * 1_000_000 }

// A swarm is many runs, and what came of them.
type swarm struct {
	mixture
	first    uint64
	seeds    int           // how many; if span is not zero, as many as there is time for
	span     time.Duration // on the clock
	jobs     int
	allMarks bool

	plan     func(seed uint64) sim.Plan
	mu       sync.Mutex
	given    int // seeds handed out
	report   swarmReport
	reported time.Time // when progress was last shown
	began    time.Time
}

// A swarmReport is what came of a swarm, as it is printed.
type swarmReport struct {
	FirstSeed      uint64          `json:"first_seed"`
	LastSeed       uint64          `json:"last_seed"`
	Seeds          int             `json:"seeds"`
	NodeHours      float64         `json:"node_hours"`
	Invalid        int             `json:"invalid"`
	Violations     []violationInfo `json:"violations"`
	Marks          map[string]int  `json:"marks"`
	Mix            string          `json:"mix"`
	Jobs           int             `json:"jobs"`
	Seconds        float64         `json:"seconds"`
	CPUSeconds     float64         `json:"cpu_seconds"`
	HoursPerCPU    float64         `json:"node_hours_per_cpu_second"`
	InvalidBecause map[string]int  `json:"invalid_because"`
}

// check says which flag makes no sense.
func (s *swarm) check(seedsSet, forSet bool) (err error) {
	switch {
	case seedsSet && forSet:
		return fail(exitUsage, "--seeds and --for can not both be given")
	case seedsSet && s.seeds < 1:
		return fail(exitUsage, "--seeds %d must be at least 1", s.seeds)
	case forSet && s.span <= 0:
		return fail(exitUsage, "--for %v must be more than 0", s.span)
	case s.jobs < 1:
		return fail(exitUsage, "--jobs %d must be at least 1", s.jobs)
	}
	s.plan, err = s.drawing()
	return err
}

// swarm runs a swarm, and prints and records what came of it.
func (a *app) swarm(ctx context.Context, s *swarm, ledger string) error {
	var record *record
	if ledger != "" {
		var err error
		if record, err = newRecord(ctx, ledger); err != nil {
			return err
		}
	}
	progress := io.Discard
	if isTerminal(a.err) {
		progress = a.err
	}
	s.run(ctx, progress)
	if record != nil {
		if err := record.append(&s.report); err != nil {
			return err
		}
	}
	if err := a.printSwarm(&s.report); err != nil {
		return err
	}
	return a.judgeSwarm(ctx, s)
}

// run takes the seeds in turn, in several goroutines.
func (s *swarm) run(ctx context.Context, progress io.Writer) {
	if s.span > 0 {
		var cancel func()
		ctx, cancel = context.WithTimeout(ctx, s.span)
		defer cancel()
	}
	s.report = swarmReport{FirstSeed: s.first, Violations: []violationInfo{}, Marks: map[string]int{}, InvalidBecause: map[string]int{}, Mix: s.mixture.String(), Jobs: s.jobs}
	for _, m := range sim.Marks() {
		s.report.Marks[m.Name] = 0
	}
	s.began = time.Now()
	busy := cpuTime()
	var workers sync.WaitGroup
	for range s.jobs {
		workers.Go(func() {
			for seed, ok := s.next(ctx); ok; seed, ok = s.next(ctx) {
				// The first broken promise of a run is enough: it is replayed whole.
				r, whole := rehearse(func() sim.Plan { return s.plan(seed) }, nil, func(w *sim.World) bool {
					return len(w.Violations) == 0 && ctx.Err() == nil
				})
				s.add(seed, r, whole, progress)
			}
		})
	}
	workers.Wait()
	fmt.Fprint(progress, "\r\x1b[K")
	s.report.finish(time.Since(s.began), cpuTime()-busy)
}

// next hands out a seed, if there is one left.
func (s *swarm) next(ctx context.Context) (seed uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil || s.span == 0 && s.given == s.seeds {
		return 0, false
	}
	s.given++
	return s.first + uint64(s.given-1), true
}

// add counts a run.
func (s *swarm) add(seed uint64, r sim.Result, whole bool, progress io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.report
	if len(r.Violations) > 0 {
		t.Violations = append(t.Violations, newViolationInfo(seed, r.Violations[0], s.replay(seed)))
	} else if !whole {
		return // its time was over
	}
	t.Seeds++
	t.LastSeed = max(t.LastSeed, seed)
	t.NodeHours += r.NodeHours
	if r.Invalid != "" {
		t.Invalid++
		t.InvalidBecause[r.Invalid]++
	}
	for name, count := range r.Marks {
		t.Marks[name] += count
	}
	if now := time.Now(); now.Sub(s.reported) > time.Second/5 {
		s.reported = now
		fmt.Fprintf(progress, "\r\x1b[K%s", t.line(now.Sub(s.began)))
	}
}

// line returns how far a swarm is.
func (t *swarmReport) line(since time.Duration) string {
	return fmt.Sprintf("%v  %d seeds  %.0f node-hours  %d invalid  %d violations", since.Round(time.Second), t.Seeds, t.NodeHours, t.Invalid, len(t.Violations))
}

// finish puts the report into the order that does not depend on which run
// ended first.
func (t *swarmReport) finish(wall, busy time.Duration) {
	slices.SortFunc(t.Violations, func(a, b violationInfo) int { return cmp.Compare(a.Seed, b.Seed) })
	t.Seconds, t.CPUSeconds = wall.Seconds(), busy.Seconds()
	if busy > 0 {
		t.HoursPerCPU = t.NodeHours / t.CPUSeconds
	}
}

// unreached returns the marks with no hit, in order.
func (t *swarmReport) unreached() []string {
	var names []string
	for name, count := range t.Marks {
		if count == 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (a *app) printSwarm(t *swarmReport) error {
	if a.output == "json" {
		return printJSON(a.out, t)
	}
	fmt.Fprintf(a.out, "seeds       %d, from %d\n", t.Seeds, t.FirstSeed)
	fmt.Fprintf(a.out, "node-hours  %.1f in %.1f s, %.1f per CPU-second\n", t.NodeHours, t.Seconds, t.HoursPerCPU)
	fmt.Fprintf(a.out, "invalid     %d%s\n", t.Invalid, because(t.InvalidBecause))
	fmt.Fprintf(a.out, "marks       %d of %d reached\n", len(t.Marks)-len(t.unreached()), len(t.Marks))
	fmt.Fprintf(a.out, "violations  %d\n", len(t.Violations))
	return nil
}

// because lists reasons and how often each was the one.
func because(reasons map[string]int) string {
	var parts []string
	for why, count := range reasons {
		parts = append(parts, fmt.Sprintf("%d %s", count, why))
	}
	slices.Sort(parts)
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// judgeSwarm says what is wrong, and what to type to see it.
func (a *app) judgeSwarm(ctx context.Context, s *swarm) error {
	t := &s.report
	for _, v := range t.Violations {
		fmt.Fprintf(a.err, "%s    # %s: %s\n", v.Replay, v.Invariant, v.Text)
	}
	unreached := t.unreached()
	if s.allMarks && len(unreached) > 0 {
		fmt.Fprintf(a.err, "never reached: %s\n", strings.Join(unreached, ", "))
	}
	switch {
	case len(t.Violations) > 0:
		return fail(exitFailed, "%d of %d seeds broke a promise", len(t.Violations), t.Seeds)
	case ctx.Err() != nil:
		return ctx.Err()
	case t.Seeds == 0:
		return fail(exitFailed, "no run came to its end within %v", s.span)
	case t.Invalid == t.Seeds:
		return fail(exitFailed, "every run was invalid")
	case s.allMarks && len(unreached) > 0:
		return fail(exitFailed, "%d of %d marks were never reached", len(unreached), len(t.Marks))
	}
	return nil
}
