package sim

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// Shrink makes a plan smaller that breaks an invariant, as long as it still
// breaks the same: fewer faults, then fewer nodes, less time, simpler faults, a
// more usual configuration. It returns the smallest plan that it found and what
// came of it, up to the violation; if the plan does not break the invariant, the
// plan as it is.
//
// It is asked before each run whether to go on, with the number of runs so far;
// nil is without end, which comes when nothing can be made smaller. The same plan
// shrinks to the same, if it is let.
func Shrink(p Plan, invariant string, more func(tries int) bool) (Plan, Result) {
	steps := uint64(0) // unlimited in the first run
	s := &shrinker{more: more, run: func(p Plan) Result {
		r := p.Begin(nil)
		r.World.most = steps
		r.World.Halt = func(v Violation) bool { return v.Invariant == invariant }
		result := r.Run()
		if steps == 0 {
			// A plan that nobody drew may go round in circles at one moment.
			steps = 2*r.World.step + 1_000_000
		}
		return result
	}}
	return s.shrink(p, invariant)
}

// A shrinker looks for a smaller plan.
type shrinker struct {
	run       func(Plan) Result
	more      func(tries int) bool
	invariant string
	best      Plan
	result    Result       // of the best
	at        swim.Instant // when it broke the invariant
	tries     int
	tried     map[uint64]bool // plans that failed to fail, by their hashes
	done      bool            // nobody wants more
}

func (s *shrinker) shrink(p Plan, invariant string) (Plan, Result) {
	s.invariant, s.tried = invariant, map[uint64]bool{}
	s.best, s.result = p, s.run(p)
	at, broken := s.broken(s.result)
	if !broken {
		return s.best, s.result
	}
	s.at = at
	for before := -1; before != s.tries && !s.done; {
		// What was tried already is not tried again, so that the end is reached
		// when a whole round has nothing new to try.
		before = s.tries
		s.horizon()
		s.faults()
		s.nodes()
		s.sets()
		s.horizon()
		s.times()
		s.simplify()
	}
	return s.best, s.result
}

// broken reports whether a run broke the invariant, and when.
func (s *shrinker) broken(r Result) (at swim.Instant, broken bool) {
	i := slices.IndexFunc(r.Violations, func(v Violation) bool { return v.Invariant == s.invariant })
	if i < 0 {
		return 0, false
	}
	return r.Violations[i].At, true
}

// try replaces the best plan by another one if that breaks the invariant too.
func (s *shrinker) try(p Plan) bool {
	if s.done || !s.sound(p) {
		return false
	}
	text, err := json.Marshal(p)
	key := digest(text)
	if err != nil || s.tried[key] {
		return false
	}
	if s.more != nil && !s.more(s.tries) {
		s.done = true
		return false
	}
	s.tries++
	s.tried[key] = true
	result, ok := s.attempt(p)
	if !ok || result.Invalid != s.result.Invalid {
		return false
	}
	at, broken := s.broken(result)
	if broken {
		s.best, s.result, s.at = p, result, at
	}
	return broken
}

// attempt runs a plan. One that no fault can carry out panics, and is no plan.
func (s *shrinker) attempt(p Plan) (result Result, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return s.run(p), true
}

// sound reports whether a plan may be asked to keep the promises: a core that
// has lost its only seed can not.
func (s *shrinker) sound(p Plan) bool {
	seed := func(n uint32) bool { return n < 3 }
	switch {
	case p.Nodes < 1, p.Config != swim.Config{} && p.Config.Validate() != nil:
		return false
	case p.Core == nil:
		return true // without a second phase
	}
	return len(p.Core) > 0 && (slices.ContainsFunc(p.Core, seed) || !slices.ContainsFunc(s.best.Core, seed))
}

// horizon ends the plan soon after what it is about.
func (s *shrinker) horizon() {
	if left := s.at.Sub(0) - s.best.Form; left < s.best.For {
		p := s.best.clone()
		p.For = max(0, (left + time.Second - 1).Truncate(time.Second))
		s.try(p.endFaults())
	}
}

// endFaults leaves out what would begin after the end.
func (p Plan) endFaults() Plan {
	p.Faults = slices.DeleteFunc(p.Faults, func(f Fault) bool { return f.At > p.For })
	return p
}

// faults leaves faults out: halves, then quarters, and so on, each alone and
// everything but each.
//
// "[...] the ddmin algorithm [...]" Zeller and Hildebrandt, Simplifying and
// isolating failure-inducing input.
func (s *shrinker) faults() {
	with := func(faults []Fault) bool {
		p := s.best.clone()
		p.Faults = faults
		return s.try(p.clone())
	}
	if len(s.best.Faults) > 0 && with(nil) {
		return
	}
	for parts := 2; len(s.best.Faults) > 1 && !s.done; {
		all, smaller := s.best.Faults, false
		parts = min(parts, len(all))
		for i := 0; i < parts && !smaller; i++ {
			from, to := i*len(all)/parts, (i+1)*len(all)/parts
			if with(all[from:to]) {
				parts, smaller = 2, true
			} else if parts > 2 && with(slices.Concat(all[:from], all[to:])) {
				parts, smaller = parts-1, true
			}
		}
		if !smaller {
			if parts == len(all) {
				return
			}
			parts *= 2
		}
	}
}

// nodes leaves nodes out, many at once and those with the highest numbers
// first: the luck of the others then stays what it was.
func (s *shrinker) nodes() {
	for many := s.best.Nodes / 2; many > 0; many /= 2 {
		for last := s.best.Nodes; last > 0; last = min(last-many, s.best.Nodes) {
			s.try(s.best.without(max(0, last-many), last))
		}
	}
}

// without leaves out the nodes from one number to before another. Those above
// move down, and a fault of nobody is none.
func (p Plan) without(from, to int) Plan {
	p = p.clone()
	gone := to - from
	p.Nodes -= gone
	move := func(s *Set) (emptied bool) {
		before := len(*s)
		*s = slices.DeleteFunc(*s, func(n uint32) bool { return int(n) >= from && int(n) < to })
		for i, n := range *s {
			if int(n) >= to {
				(*s)[i] = n - uint32(gone)
			}
		}
		return before > 0 && len(*s) == 0
	}
	for i := 0; i < len(p.Faults); i++ {
		emptied := false
		for _, set := range setsOf(reflect.ValueOf(&p.Faults[i]).Elem()) {
			emptied = move(set) || emptied
		}
		if emptied {
			p.Faults = slices.Delete(p.Faults, i, i+1)
			i--
		}
	}
	move(&p.Core)
	return p
}

// sets makes the sets of nodes of the faults smaller.
func (s *shrinker) sets() {
	for i := 0; i < len(s.best.Faults); i++ {
		for j := range setsOf(reflect.ValueOf(&s.best.Faults[i]).Elem()) {
			set := func(p *Plan) *Set { return setsOf(reflect.ValueOf(&p.Faults[i]).Elem())[j] }
			for many := len(*set(&s.best)) / 2; many > 0; many /= 2 {
				for last := len(*set(&s.best)); last > 0; last -= many {
					p := s.best.clone()
					if last > len(*set(&p)) || len(*set(&p)) <= many {
						continue
					}
					*set(&p) = slices.Delete(*set(&p), max(0, last-many), last)
					s.try(p)
				}
			}
		}
	}
}

// times makes everything happen sooner: less time to form, less time between
// faults, and a sooner end.
func (s *shrinker) times() {
	s.sooner(0, func(p *Plan) *time.Duration { return &p.Form })
	for i := range s.best.Faults {
		s.gap(i)
	}
	s.sooner(time.Second, func(p *Plan) *time.Duration { return &p.For })
}

// sooner makes a time as short as it may be: the least, or half of it, and half
// of that.
func (s *shrinker) sooner(least time.Duration, of func(p *Plan) *time.Duration) {
	to := func(d time.Duration) bool {
		p := s.best.clone()
		if d < least || d >= *of(&p) {
			return false
		}
		*of(&p) = d
		return s.try(p.endFaults())
	}
	if to(least) {
		return
	}
	for to(tidyTime(*of(&s.best) / 2)) {
	}
}

// gap shortens the time before a fault: it and all later ones come sooner.
func (s *shrinker) gap(i int) {
	if i >= len(s.best.Faults) {
		return
	}
	least := max(s.best.before(i)/64, shortest)
	for cut := s.best.before(i); cut > least; {
		p := s.best.clone()
		at := p.Faults[i].At
		for j := range p.Faults {
			if p.Faults[j].At >= at {
				p.Faults[j].At -= cut
			}
		}
		p.For = max(0, p.For-cut)
		if s.try(p) {
			cut = s.best.before(i)
		}
		cut /= 2
	}
}

// before returns the time between a fault and the one before it.
func (p Plan) before(i int) time.Duration {
	at, before := p.Faults[i].At, time.Duration(0)
	for _, f := range p.Faults {
		if f.At < at {
			before = max(before, f.At)
		}
	}
	return at - before
}

// simplify makes fields trivial, or at least rounder and smaller.
func (s *shrinker) simplify() {
	s.usual()
	s.fields(func(p *Plan) reflect.Value { return reflect.ValueOf(&p.Config).Elem() })
	for i := 0; i < len(s.best.Faults); i++ {
		s.fields(func(p *Plan) reflect.Value { return reflect.ValueOf(&p.Faults[i]).Elem() })
	}
}

// usual tries the plan without a second phase, with our own wire, with the usual
// profile, and with the usual configuration of its own.
func (s *shrinker) usual() {
	p := s.best.clone()
	p.Core = nil
	s.try(p)
	p = s.best.clone()
	p.Wire = WirePlain
	s.try(p)
	p = s.best.clone()
	p.Profile, p.Config = LAN.Name, swim.Config{}
	if !s.try(p) {
		p.Profile = s.best.Profile
		s.try(p)
	}
}

// fields simplifies every field below a structure of the plan.
func (s *shrinker) fields(of func(p *Plan) reflect.Value) {
	list := func(p *Plan) (all []field) {
		fieldsOf(of(p), p.usual(), func(f field) { all = append(all, f) })
		return all
	}
	for i := 0; i < len(list(&s.best)); i++ {
		// The number of fields only falls when a structure becomes zero, of
		// which those that vanish are the next.
		for {
			smaller := false
			for _, value := range simpler(list(&s.best)[i]) {
				p := s.best.clone()
				list(&p)[i].value.Set(value)
				if smaller = s.try(p); smaller {
					break
				}
			}
			if !smaller || i >= len(list(&s.best)) {
				break
			}
		}
	}
}

// simpler returns what a field may be instead, the simplest first.
func simpler(f field) (values []reflect.Value) {
	name := f.path[strings.LastIndexByte(f.path, '.')+1:]
	add := func(v reflect.Value) {
		if !v.Equal(f.value) {
			values = append(values, v.Convert(f.value.Type()))
		}
	}
	// A fault without an end is no shorter, and when it begins is for others to
	// say.
	if f.path != "For" && f.path != "At" {
		add(f.trivial)
	}
	if f.value.Kind() != reflect.Struct && !f.trivial.IsZero() {
		return values // of a configuration: usual or not
	}
	switch {
	case f.value.Type() == reflect.TypeFor[time.Duration]():
		d := time.Duration(f.value.Int())
		if name != "At" && d >= 2*shortest {
			add(reflect.ValueOf(tidyTime(d / 2)))
		}
		if tidyTime(d) > 0 {
			add(reflect.ValueOf(tidyTime(d)))
		}
	case f.value.CanInt():
		add(reflect.ValueOf(f.value.Int() / 2))
	case f.value.Kind() == reflect.Float64:
		add(reflect.ValueOf(tidyFloat(f.value.Float())))
	}
	return values
}

// shortest is the least time that it is worth while to make shorter.
const shortest = time.Millisecond

// tidyTime cuts a time to two digits or so.
func tidyTime(d time.Duration) time.Duration {
	for _, unit := range []time.Duration{time.Minute, 10 * time.Second, time.Second, 100 * time.Millisecond, 10 * time.Millisecond, time.Millisecond, 100 * time.Microsecond, 10 * time.Microsecond} {
		if d >= 10*unit {
			return d.Truncate(unit)
		}
	}
	return d
}

// tidyFloat cuts a number to one digit.
func tidyFloat(x float64) float64 {
	for unit := 1.0; unit > 1e-9; unit /= 10 {
		if x >= unit {
			return math.Floor(x/unit) * unit
		}
	}
	return 0
}

// usual returns the configuration of the plan's profile.
func (p Plan) usual() swim.Config {
	p.Config = swim.Config{}
	return p.profile().Config
}
