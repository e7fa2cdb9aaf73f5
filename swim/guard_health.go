package swim

// checkHealth: doubt about ourselves stays within its bounds and moves by what a
// probe says, and a probe takes as much longer as we doubt (D7).
func (g *Guard[ID, Addr]) checkHealth() {
	c, doubt := g.core, g.core.health.doubt
	if doubt < 0 || doubt > maxHealth {
		g.violated("D7", "we doubt ourselves %d times", doubt)
	}
	started := g.input.fired && c.probe.running && c.probe.number != g.probe.number
	if !started || c.stats.Pauses != g.stats.pauses {
		return
	}
	if want := max(0, min(g.doubt, c.cfg.MaxHealth)-1); g.probe.running && g.probe.acked && doubt != want {
		g.violated("D7", "after a probe that was answered we doubt ourselves %d times, not %d", doubt, want)
	}
	factor := 1 + min(max(doubt, 0), max(c.cfg.MaxHealth, 0))
	verdict, ask := c.tasks[TimerProbe].due.Sub(c.now), c.tasks[TimerIndirect].due.Sub(c.now)
	if verdict != multiple(c.cfg.Period, factor) || ask != multiple(c.cfg.RoundTrip, factor) {
		g.violated("D7", "a probe takes %v and asks after %v, with %d doubts about ourselves", verdict, ask, doubt)
	}
}
