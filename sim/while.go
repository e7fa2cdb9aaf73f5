package sim

// A leash lets somebody outside end a run before its time, because the time of
// the one who waits for it is over, or because enough is known. Virtual time
// goes on, so that whoever waits for a moment gets there, but nothing happens
// any more.
type leash struct {
	on    func(*World) bool
	ended bool
	found int // violations until then
}

// asks is how many happenings pass from one question to the next.
const asks = 256

// slack reports whether the run may go on.
func (l *leash) slack(w *World) bool {
	if l.on == nil || l.ended {
		return !l.ended
	}
	if w.step%asks == 0 && !l.on(w) {
		l.ended, l.found = true, len(w.Violations)
	}
	return !l.ended
}

// RunWhile is [Plan.Run] for those who may want it to end early: after every few
// hundred happenings it asks whether to go on. It reports whether the plan was
// carried out to its end. If it was not, the result holds the violations up to
// then, and says nothing else.
func (p Plan) RunWhile(trace func(Event), on func(*World) bool) (r Result, whole bool) {
	run := p.Begin(trace)
	l := &run.World.leash
	l.on = on
	r = run.finish()
	if l.ended {
		return Result{Plan: p, Violations: r.Violations[:l.found]}, false
	}
	return r, true
}
