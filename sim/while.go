package sim

// asks is how many happenings pass from one question to the next whether to go
// on.
const asks = 256

// RunWhile is [Plan.Run] for those who may want it to end early, because the
// time of the one who waits for it is over, or because enough is known: after
// every few hundred happenings it asks whether to go on. It reports whether the
// plan was carried out to its end; if not, the result is that of what was.
func (p Plan) RunWhile(trace func(Event), on func(*World) bool) (r Result, whole bool) {
	run := p.Begin(trace)
	run.World.on = on
	r = run.Run()
	return r, !run.World.halted
}

// mayGoOn asks, if it is time to.
func (w *World) mayGoOn() bool { return w.on == nil || w.step%asks != 0 || w.on(w) }
