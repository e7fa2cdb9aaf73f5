package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/selkie-go/selkie/cmd/selkie/chart"
	"github.com/selkie-go/selkie/sim"
)

// An experimentResult is an experiment that was carried out, and what came of
// it, unless it failed.
type experimentResult struct {
	sim.Experiment
	sim.Outcome
	trials int
	took   time.Duration
	err    error
}

// count returns how many findings there are that are compared with something,
// and how many of them are not as expected.
func (r *experimentResult) count() (compared, wrong int) {
	for _, f := range r.Findings {
		if judged(f) {
			compared++
		}
		if !f.OK {
			wrong++
		}
	}
	return compared, wrong
}

// carryOut carries out experiments one after the other, and has each seen when
// it is done. One that fails does not keep the others from being carried out.
func (a *app) carryOut(ctx context.Context, chosen []sim.Experiment, full bool, seen func(*experimentResult) error) ([]*experimentResult, error) {
	progress := io.Discard
	if isTerminal(a.err) {
		progress = a.err
	}
	var results []*experimentResult
	for _, e := range chosen {
		r := runExperiment(ctx, e, full, runtime.GOMAXPROCS(0), progress)
		switch {
		case ctx.Err() != nil:
			return results, ctx.Err()
		case r.err != nil:
			fmt.Fprintf(a.err, "%s: %v\n", e.ID, r.err)
		default:
			fmt.Fprintf(a.err, "%s: %s trials in %v\n", e.ID, chart.Count(r.trials), brief(r.took))
		}
		results = append(results, r)
		if err := seen(r); err != nil {
			return results, err
		}
	}
	return results, nil
}

// brief returns how long something took on the clock.
func brief(d time.Duration) time.Duration {
	if d > time.Minute {
		return d.Round(time.Second)
	}
	return d.Round(10 * time.Millisecond)
}

// runExperiment carries out an experiment with so many trials at once, on which
// what comes of it does not depend.
func runExperiment(ctx context.Context, e sim.Experiment, full bool, jobs int, progress io.Writer) *experimentResult {
	r := &experimentResult{Experiment: e}
	began := time.Now()
	var trials []sim.Trial
	if r.err = unharmed("the plan of its trials", func() { trials = e.Trials(full) }); r.err != nil {
		return r
	}
	r.trials = len(trials)
	shown := time.Time{}
	observed, err := runTrials(ctx, trials, jobs, func(done int) {
		if now := time.Now(); now.Sub(shown) > time.Second/5 {
			shown = now
			fmt.Fprintf(progress, "\r\x1b[K%s  %d of %d trials, %v", e.ID, done, len(trials), now.Sub(began).Round(time.Second))
		}
	})
	fmt.Fprint(progress, "\r\x1b[K")
	if r.err = err; err == nil {
		r.err = unharmed("its conclusion", func() { r.Outcome = e.Conclude(observed) })
	}
	r.took = time.Since(began)
	return r
}

// runTrials runs trials in several goroutines and returns what they observed,
// in the order of the trials. It does not wait for what is under way once one
// failed or nobody wants to know any more: a trial can not be interrupted.
func runTrials(ctx context.Context, trials []sim.Trial, jobs int, seen func(done int)) ([]sim.Observations, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	observed := make([]sim.Observations, len(trials))
	ended := make(chan error, len(trials)) // room for all, as they may end when nobody listens
	var given atomic.Int64
	for range min(jobs, len(trials)) {
		go func() {
			for i := int(given.Add(1)) - 1; i < len(trials) && ctx.Err() == nil; i = int(given.Add(1)) - 1 {
				ended <- unharmed(fmt.Sprintf("trial %d of %d", i+1, len(trials)), func() { observed[i] = trials[i]() })
			}
		}()
	}
	for done := range trials {
		select {
		case err := <-ended:
			if err != nil {
				return nil, err
			}
			seen(done + 1)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return observed, nil
}

// unharmed does something, and makes an error of a panic.
func unharmed(what string, do func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%s panicked: %v, %s", what, v, culprit(debug.Stack()))
		}
	}()
	do()
	return nil
}
