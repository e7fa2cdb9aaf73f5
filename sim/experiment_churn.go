package sim

import (
	"fmt"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// churn is E20: a cluster in which members come and go all the time, for long, and
// the network loses some packets. Nobody who runs may be held down, nobody who left
// may come back, and nobody may have more to tell than there is news.
var churn = Experiment{
	ID:       "E20",
	Title:    "members come and go for long",
	Source:   "what those who run clusters need",
	trials:   churnTrials,
	conclude: concludeChurn,
}

// A soak is a cluster of which a part is replaced in an hour.
type soak struct {
	nodes   int
	lasts   time.Duration
	hourly  float64 // part that is replaced
	loss    float64
	usually bool // not only in full
}

var soaks = []soak{
	{nodes: 200, lasts: 2 * time.Hour, hourly: 0.1, loss: 0.01, usually: true},
	{nodes: 200, lasts: time.Hour, hourly: 1, loss: 0.001, usually: true},
	{nodes: 1000, lasts: 24 * time.Hour, hourly: 0.1 / 24, loss: 0.01},
	{nodes: 5000, lasts: time.Hour, hourly: 0.1, loss: 0.001},
}

func (s soak) name(what string) string {
	return fmt.Sprintf("%s, N = %d, %.3g %% an hour, %g %% loss", what, s.nodes, 100*s.hourly, 100*s.loss)
}

func churnTrials(full bool) []Trial {
	var trials longestFirst
	for i, s := range soaks {
		if full || s.usually {
			trials.add(s.nodes*int(s.lasts/time.Minute), func() Observations { return s.observe(experimentSeed("E20", i, 0)) })
		}
	}
	return trials.list()
}

// A turnover replaces members, and looks what is made of it.
type turnover struct {
	*World
	name         func(what string) string
	luck         *dice
	left         map[ID]swim.Instant // when they said goodbye
	changes      []swim.Instant      // of the last minute
	o            Observations
	wrong, again float64
}

// observe lets members come and go at random moments, half of them with a goodbye.
func (s soak) observe(seed uint64) Observations {
	t := turnover{World: acquainted(seed, LAN, s.nodes), name: s.name, luck: roll(seed, "churn"), left: map[ID]swim.Instant{}, o: Observations{}}
	t.unhashed = true
	t.introduce()
	for _, n := range t.nodes {
		n.Seeds = Nodes(0, 1, 2)
		n.nameSeeds()
		n.OnNotify = func(note swim.Notification[ID]) { t.told(&note) }
	}
	t.Impair("loss", nil, nil, Link{Loss: s.loss})
	t.Run(20 * time.Second)
	apart := time.Duration(float64(time.Hour) / (float64(s.nodes) * s.hourly))
	for at := t.luck.duration(0, 2*apart); at < s.lasts; at += t.luck.duration(0, 2*apart) {
		t.After(at, t.replace)
	}
	for range s.lasts / (10 * time.Second) {
		t.Run(10 * time.Second)
		t.sample()
	}
	t.Run(2 * time.Minute)
	report := t.Report()
	for kind, name := range map[NewsKind]string{NewsLeave: "a goodbye", NewsStart: "a start", NewsCrash: "a crash"} {
		for _, news := range report.Of(kind) {
			if news.Missing == 0 && news.Everywhere >= 0 {
				t.o.add(s.name(name), news.Everywhere.Seconds())
			}
		}
	}
	t.o.add(s.name("wrong"), t.wrong)
	t.o.add(s.name("again"), t.again)
	return t.o
}

// told counts what is wrong of what an owner is told.
func (t *turnover) told(note *swim.Notification[ID]) {
	m := &note.Member
	if m.ID.Node >= uint32(len(t.nodes)) {
		return
	}
	about := t.nodes[m.ID.Node]
	switch {
	case note.Kind == swim.NotifyDown && m.State == swim.Down && about.running && about.core.Self().ID == m.ID:
		t.wrong++
	case note.Kind == swim.NotifyUp:
		// Who joins at that moment may be handed a list with those who leave.
		if at, left := t.left[m.ID]; left && t.now.Sub(at) > 5*time.Second {
			t.again++
		}
	}
}

// replace ends one member, and another one joins.
func (t *turnover) replace() {
	old := t.nodes[3+t.luck.below(len(t.nodes)-3)]
	if !old.running || old.core.Self().State != swim.Alive {
		return
	}
	if t.luck.below(2) == 0 {
		t.left[old.core.Self().ID] = t.now
		old.Do((*Core).Leave)
		t.After(10*time.Second, old.Crash)
	} else {
		old.Crash()
	}
	t.changes = append(t.changes, t.now, t.now)
	next := t.Add()
	next.OnNotify = func(note swim.Notification[ID]) { t.told(&note) }
	next.Start(Boot{})
}

// sample looks how much there is to tell, and how much of it is news.
func (t *turnover) sample() {
	for len(t.changes) > 0 && t.now.Sub(t.changes[0]) > time.Minute {
		t.changes = t.changes[1:]
	}
	most := 0
	for _, n := range t.nodes {
		if n.running {
			most = max(most, n.core.Stats().Backlog)
		}
	}
	t.o.add(t.name("to tell"), float64(most))
	t.o.add(t.name("beyond"), float64(max(0, most-len(t.changes))))
}

func concludeChurn(o Observations, out *Outcome) {
	for _, s := range soaks {
		depth := o[s.name("to tell")]
		if len(depth) == 0 {
			continue
		}
		out.atMost(s.name("who runs is told down"), 0, 0, sum(o[s.name("wrong")]), s.nodes)
		out.atMost(s.name("who left comes back"), 0, 0, sum(o[s.name("again")]), s.nodes)
		out.atMost(s.name("updates to tell beyond the changes of the last minute, p99"), 0, 0, quantile(o[s.name("beyond")], 0.99), len(depth))
		out.shown(s.name("updates to tell, most"), quantile(depth, 1), len(depth))
		for _, what := range []string{"a start", "a goodbye", "a crash"} {
			times := o[s.name(what)]
			out.shown(s.name("seconds until all know "+what+", median"), quantile(times, 0.5), len(times))
			out.shown(s.name("seconds until all know "+what+", p99"), quantile(times, 0.99), len(times))
		}
	}
}
