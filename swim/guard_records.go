package swim

import "time"

// A shadow is a record as the guard saw it after the last input.
type shadow[ID comparable] struct {
	is    version[ID]
	flags recordFlags
	until Instant

	patience     // how long it may refute at the least, if it is a suspect
	synced   int // how many of its accusers we know of by synchronising alone

	said  version[ID] // what was last told of it,
	times int         // and how often
}

// A version is what is told of a member.
type version[ID comparable] struct {
	id    ID
	inc   Incarnation
	meta  uint64
	state State
	n     uint8
	by    [MaxAccusers]ID
}

// seenFlags are the flags that only a touched record changes.
const seenFlags = isKnown | inActive | inLost | isLone

func (s *shadow[ID]) known() bool  { return s.flags&isKnown != 0 }
func (s *shadow[ID]) active() bool { return s.flags&inActive != 0 }
func (s *shadow[ID]) lone() bool   { return s.flags&isLone != 0 }

// shadow returns the shadow of a slot.
func (g *Guard[ID, Addr]) shadow(slot uint32) *shadow[ID] {
	for int(slot) >= len(g.shadows) {
		g.shadows = append(g.shadows, shadow[ID]{})
	}
	return &g.shadows[slot]
}

// see takes down a record as it is.
func (g *Guard[ID, Addr]) see(s *shadow[ID], slot uint32, r *record[ID]) {
	s.is = g.versionOf(r)
	if s.is != s.said {
		s.said, s.times = version[ID]{}, 0 // should it come back to that, it is news again
	}
	s.flags = r.flags
	s.until = g.core.roster.times(slot).until
}

// versionOf is what would be told of a record.
func (g *Guard[ID, Addr]) versionOf(r *record[ID]) version[ID] {
	v := version[ID]{id: r.id, inc: r.inc, meta: r.meta, state: r.state}
	if r.doubt != 0 && accusable(r.state) {
		d := g.core.doubts.at(r.doubt)
		v.n = d.n
		copy(v.by[:], d.by[:d.n])
	}
	return v
}

// compareTouched compares the records that the input touched with what they
// were: first those that were removed, because their slots may be in use again.
func (g *Guard[ID, Addr]) compareTouched() {
	c := g.core
	early := 0 // forgotten before their time
	for _, slot := range g.journal.forgotten {
		s := g.shadow(slot)
		if !s.known() || s.until > c.now || s.active() {
			if !s.known() || s.is.id.Addr() != c.us.addr {
				early++ // also one that came and went by one input
			}
		}
		if s.known() {
			g.changed(s, nil)
			g.tally[s.tally()]--
			*s = shadow[ID]{}
		}
	}
	if evicted := c.stats.Evicted - g.stats.evicted; uint64(early) > evicted {
		g.violated("S27", "%d members were forgotten early, %d evicted", early, evicted)
	}
	for _, slot := range g.journal.touched {
		r := c.roster.at(slot)
		if r.flags&isKnown == 0 {
			continue // it is forgotten
		}
		g.compareRecord(g.shadow(slot), slot, r)
		g.checkRecord(slot, r)
	}
}

// checkPassedOn: what a packet told us that we did not know, we tell others. If
// it made us send anything, that may have been all the telling there is.
func (g *Guard[ID, Addr]) checkPassedOn(slot uint32, before, after *shadow[ID]) {
	c := g.core
	if !g.input.packet || g.input.packets > 0 || c.in.Header.Message.synced() && c.synchronises() || before.known() && !g.worthTelling(&before.is, &after.is) {
		return
	}
	if ring, _ := c.backlog.locate(c.roster, slot); ring == nil {
		g.violated("L3", "we heard that %v is %v %d, and do not tell", after.is.id, after.is.state, after.is.inc)
	}
}

// worthTelling reports whether what is known of a member differs in something
// that others need. Who accuses it they do not once enough do.
func (g *Guard[ID, Addr]) worthTelling(was, is *version[ID]) bool {
	enough := uint8(g.core.accusersThatMatter())
	if was.id == is.id && was.inc == is.inc && was.meta == is.meta && was.state == is.state {
		return is.n > was.n && was.n < enough
	}
	return true
}

func (s *shadow[ID]) tally() int {
	if s.lone() {
		return tallyLone
	}
	return int(s.is.state)
}

// compareRecord compares one record with what it was.
func (g *Guard[ID, Addr]) compareRecord(s *shadow[ID], slot uint32, r *record[ID]) {
	before := *s
	g.see(s, slot, r)
	g.countSynced(&before, s)
	after := s
	if before.known() && before.is == after.is && before.flags&seenFlags == after.flags&seenFlags && before.until == after.until {
		return // touched more than once, or for nothing
	}
	g.changed(&before, after)
	if before.known() {
		g.tally[before.tally()]--
		g.checkSuccession(&before, after)
	}
	g.tally[after.tally()]++
	g.checkPassedOn(slot, &before, after)
	g.checkSuspicion(slot, &before, after)
	g.checkTombstone(&before, after)
}

// changed lists a change, of which one side may be missing.
func (g *Guard[ID, Addr]) changed(before, after *shadow[ID]) {
	var ch Change[ID]
	if before.known() {
		ch.Before, ch.Knew, ch.LoneBefore = g.update(&before.is), true, before.lone()
	}
	if after != nil {
		ch.After, ch.Knows, ch.LoneNow = g.update(&after.is), true, after.lone()
	}
	g.changes = append(g.changes, ch)
}

// update returns a version as it is told.
func (g *Guard[ID, Addr]) update(v *version[ID]) Update[ID] {
	u := Update[ID]{Member: Member[ID]{ID: v.id, Incarnation: v.inc, State: v.state, Metadata: v.meta}}
	if v.n > 0 {
		first := len(g.names)
		g.names = append(g.names, v.by[:v.n]...)
		u.By = g.names[first:len(g.names):len(g.names)]
	}
	return u
}

// checkSuccession: what is known of an address only ever gets later.
func (g *Guard[ID, Addr]) checkSuccession(before, after *shadow[ID]) {
	was, is := &before.is, &after.is
	if was.id != is.id {
		if was.id.Addr() != is.id.Addr() || !is.id.Supersedes(was.id) {
			g.violated("S25", "%v replaced %v", is.id, was.id)
		}
		return
	}
	order := g.core.compare(is.inc, is.state, &record[ID]{inc: was.inc, state: was.state})
	switch {
	case was.state == Left && is.state != Left,
		was.state == Down && is.state.Active() && (is.inc <= was.inc || g.core.cfg.Rules.FinalDown):
		g.violated("S2", "%v came back from %v %d as %v %d", is.id, was.state, was.inc, is.state, is.inc)
	case order < 0:
		g.violated("S1", "%v fell from %v %d to %v %d", is.id, was.state, was.inc, is.state, is.inc)
	case is.meta < was.meta:
		g.violated("S1", "metadata of %v fell from %d to %d", is.id, was.meta, is.meta)
	case order > 0:
	case is.n < was.n:
		g.violated("S1", "%v has %d accusers after %d", is.id, is.n, was.n)
	case was.inc == is.inc && before.active() != after.active() && !after.lone():
		g.violated("S1", "%v of %v %d took part: %v, takes part: %v", is.id, is.state, is.inc, before.active(), after.active())
	}
}

// checkSuspicion: nobody is down for whom it was not a suspect long enough to
// refute, and silent.
func (g *Guard[ID, Addr]) checkSuspicion(slot uint32, before, after *shadow[ID]) {
	c := g.core
	was, is := &before.is, &after.is
	if is.state == Suspect && !after.lone() {
		if !before.known() || was.id != is.id || was.inc != is.inc || was.state != Suspect || before.lone() {
			after.patience = g.leastPatience()
		}
		return
	}
	down := is.state == Down || after.lone()
	if !before.active() || !down || c.cfg.Rules.SoleVerdict {
		return
	}
	if was.id != is.id && g.input.goodbyes > 0 && g.touches(slot) > 1 {
		return // it said goodbye, and the same packet knows of a later life
	}
	end := before.since.Add(before.least)
	if g.input.fired && was.state == Suspect { // by its own deadline
		end = max(before.deadline(max(0, int(was.n)-1-before.synced)), g.deafUntil())
	}
	if r := c.roster.at(slot); g.input.fired && r.doubt != 0 && !c.cfg.Rules.SilentSuspicion {
		if d := c.doubts.at(r.doubt); d.asked == 0 || c.now < d.asked.Add(c.cfg.RoundTrip) {
			g.violated("S8", "%v went down at %v, asked for a last word at %v", is.id, c.now, d.asked)
		}
	}
	// Once down, the same packet may make it down again as of later.
	later := (was.id != is.id || was.inc != is.inc) && g.touches(slot) == 1
	if was.state != Suspect || c.now < end || later {
		g.violated("S8", "%v %d went down at %v as a suspect since %v, at the earliest at %v (before: %v %v %d)",
			is.id, is.inc, c.now, before.since, end, was.id, was.state, was.inc)
	}
	if after.lone() && g.input.packet {
		g.violated("S8", "a packet made %v down for our owner alone", is.id)
	}
}

// touches is how often the input touched a slot.
func (g *Guard[ID, Addr]) touches(slot uint32) (n int) {
	for _, touched := range g.journal.touched {
		if touched == slot {
			n++
		}
	}
	return n
}

// countSynced counts the accusers that a suspect has by synchronisation. Gossip
// about it may have named them too, and then they confirm.
func (g *Guard[ID, Addr]) countSynced(before, after *shadow[ID]) {
	in := &g.input
	gossip := in.packet && !g.core.in.Header.Message.synced()
	switch same := before.is.id == after.is.id && before.is.inc == after.is.inc && before.is.state == Suspect; {
	case gossip || after.is.state != Suspect:
		after.synced = 0
	case !same:
		after.synced = 0
		if !in.fired {
			after.synced = int(after.is.n) - 1 // the first, if gossip confirms it
		}
	case !in.fired:
		after.synced += max(0, int(after.is.n)-int(before.is.n))
	case after.is.n == before.is.n:
		after.synced-- // we accuse it, in the place of one of them
	}
}

// leastPatience is how long one may refute who became suspect by this input, at
// the least: members came and went by it, too.
func (g *Guard[ID, Addr]) leastPatience() patience {
	cfg := &g.core.cfg
	least := func(n int) time.Duration { return suspicionTime(n, cfg.SuspicionFactor, cfg.Period) }
	p := patience{since: g.core.now, least: min(least(cfg.Members), least(2))}
	if g.input.fewest > 0 {
		p.least = least(g.input.fewest + 1)
	}
	p.most = multiple(p.least, cfg.MaxSuspicion)
	p.enough = uint8(g.core.enough(g.input.fewest - 1))
	return p
}

// deafUntil is until when no deadline may decide, at the least, because we heard
// nobody.
func (g *Guard[ID, Addr]) deafUntil() Instant {
	c := g.core
	limit := c.cfg.DeafLimit
	if limit == Off || c.now.Sub(g.heard) <= limit {
		return 0
	}
	p := g.leastPatience()
	return g.heard.Add(limit).Add(p.wait(0))
}

// checkTombstone: who is gone is remembered as long as configured. Only the
// owner may say that less is left of it.
func (g *Guard[ID, Addr]) checkTombstone(before, after *shadow[ID]) {
	gone := func(s *shadow[ID]) bool { return s.known() && (!s.is.state.Active() || s.lone()) }
	until := g.core.now.Add(g.core.cfg.ForgetAfter)
	if after.until < until && g.input.packet && g.core.in.Header.Message.synced() {
		return // who synchronises with us remembers it for less
	}
	if (g.input.packet || g.input.fired) && gone(after) && !gone(before) && after.until != until {
		g.violated("S27", "%v will be forgotten at %v instead of %v", after.is.id, after.until, until)
	}
}
