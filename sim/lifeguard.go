package sim

import (
	"time"

	"github.com/selkie-go/selkie/swim"
)

// The experiments of the Lifeguard paper are about agents members of a cluster
// in one machine. Some of them block, all at the same moments; the others are
// healthy.
const (
	agents = 128

	// The paper chose how long a suspect may refute for its SWIM, and for how
	// long at most, as a multiple of it, for Lifeguard.
	alpha, beta = 5, 6
)

// A variant is a configuration under the name that findings give it.
type variant struct {
	name      string
	config    swim.Config
	credulous bool // its members are, see Node
}

// plain returns a configuration without Lifeguard, and without those of our
// departures that memberlist has nothing like: it believes a single accuser, no
// answer excuses a suspect, and nobody notices that it stood still or is deaf.
// That verdicts are about an incarnation (D16) and that everybody who holds a
// suspicion runs its deadline (D6) is so there too.
func plain(cfg swim.Config) swim.Config {
	cfg = withoutHealth(withoutConfirmations(withoutBuddy(cfg)))
	cfg.StallLimit, cfg.DeafLimit = swim.Off, swim.Off
	cfg.Rules.SoleVerdict, cfg.Rules.SilentSuspicion = true, true
	return withoutDigests(withoutHurry(cfg))
}

// withoutDigests leaves it to gossip, told more often, and to feeds.
func withoutDigests(cfg swim.Config) swim.Config {
	cfg.Rules.SilentDigest = true
	cfg.Transmissions = swim.Scale{}
	return cfg.WithDefaults()
}

// withoutHurry lets news wait for the next round of gossip.
func withoutHurry(cfg swim.Config) swim.Config {
	cfg.Rules.LazyGossip = true
	return cfg
}

// The parts of Lifeguard, as the paper switches them: nacks belong to health.

func withoutHealth(cfg swim.Config) swim.Config {
	cfg.MaxHealth, cfg.Rules.SilentRelay = swim.Off, true
	return cfg
}

func withoutConfirmations(cfg swim.Config) swim.Config {
	cfg.Confirmations = swim.Off
	return cfg
}

func withoutBuddy(cfg swim.Config) swim.Config {
	cfg.Rules.SilentPing = true
	return cfg
}

// paperSWIM is what the Lifeguard paper calls SWIM: memberlist with all of
// Lifeguard off. A member that hears of its verdict raises its incarnation
// there, here it takes the next identity; what counts members takes both for the
// same.
//
// Some things can not be switched off, and make this SWIM better than that one:
// every header refutes (rule 22), not only what is gossiped, who went down is
// told so at once (rule 61), and who renewed several times has to wait (D9).
func paperSWIM(alpha int) swim.Config {
	cfg := swim.LAN(agents)
	cfg.SuspicionFactor = alpha
	return plain(cfg)
}

// paperLifeguard is what the paper calls Lifeguard, with its two parameters.
func paperLifeguard(alpha, beta int) swim.Config {
	return withHealth(withConfirmations(withBuddy(paperSWIM(alpha)), beta))
}

func withHealth(cfg swim.Config) swim.Config {
	cfg.MaxHealth, cfg.Rules.SilentRelay = 8, false
	return cfg
}

func withConfirmations(cfg swim.Config, beta int) swim.Config {
	cfg.Confirmations, cfg.MaxSuspicion = 3, beta
	return cfg
}

func withBuddy(cfg swim.Config) swim.Config {
	cfg.Rules.SilentPing = false
	return cfg
}

// paperVariants are the configurations that the paper compares, and our own
// default with the times of the paper.
func paperVariants() []variant {
	ours := swim.LAN(agents)
	ours.SuspicionFactor, ours.MaxSuspicion = alpha, beta
	return []variant{
		{"SWIM", paperSWIM(alpha), true},
		{"LHA-Probe", withHealth(paperSWIM(alpha)), true},
		{"LHA-Suspicion", withConfirmations(paperSWIM(alpha), beta), true},
		{"Buddy", withBuddy(paperSWIM(alpha)), true},
		{"Lifeguard", paperLifeguard(alpha, beta), true},
		{"selkie", ours, false},
	}
}

// parts are a configuration, and the same without some of its parts.
func parts(cfg swim.Config) []variant {
	without := func(name string, change func(c *swim.Config)) variant {
		v := variant{name: "without " + name, config: cfg}
		change(&v.config)
		return v
	}
	return []variant{
		{name: "default", config: cfg},
		without("company (D17)", func(c *swim.Config) { c.Rules.SoleVerdict = true }),
		without("excuses (D19)", func(c *swim.Config) { c.Rules.SilentSuspicion = true }),
		without("digests (D18)", func(c *swim.Config) { *c = withoutDigests(*c) }),
		without("hurry", func(c *swim.Config) { *c = withoutHurry(*c) }),
		without("health", func(c *swim.Config) { *c = withoutHealth(*c) }),
		without("confirmations", func(c *swim.Config) { *c = withoutConfirmations(*c) }),
		without("buddy", func(c *swim.Config) { *c = withoutBuddy(*c) }),
		without("Lifeguard", func(c *swim.Config) { *c = withoutHealth(withoutConfirmations(withoutBuddy(*c))) }),
		{name: "plain SWIM", config: plain(cfg)},
	}
}

// reading is how long a member that blocks takes for each packet or timer event
// once it goes on: in a millisecond it may not get through what waits in its socket,
// and declares members dead whose refutation it has not read yet. What it took the
// 128 agents on their 16 cores is not known. This is about what memberlist needs,
// and leaves about as many failures with Lifeguard as were published. With nothing
// there are none; with 50 us they are five times as many.
const reading = 10 * time.Microsecond

// A ward is a cluster in which some members block now and then. Its nodes are
// anomalous or healthy.
type ward struct {
	*World
	anomalous []bool
}

// newWard returns one with so many anomalous members, drawn at random.
func newWard(seed uint64, v variant, anomalous int) *ward {
	w := &ward{World: company(seed, agents, v.config), anomalous: make([]bool, agents)}
	w.profile.Links = Local.Links // all agents were in one machine
	w.Backlog = 4096              // memberlist asks for a buffer of 2 MB
	for i := range w.anomalous {
		w.anomalous[i] = i < anomalous
	}
	roll(seed, "anomalous").shuffle(agents, func(i, j int) {
		w.anomalous[i], w.anomalous[j] = w.anomalous[j], w.anomalous[i]
	})
	for i, n := range w.nodes {
		n.credulous = v.credulous
		if w.anomalous[i] {
			n.Cost = reading
		}
	}
	return w
}

// block lets the anomalous members block for a time.
func (w *ward) block(d time.Duration) {
	for i, n := range w.nodes {
		if w.anomalous[i] {
			n.Block()
		}
	}
	w.Run(d)
	for i, n := range w.nodes {
		if w.anomalous[i] {
			n.Unblock()
		}
	}
}

// onDown has a function called whenever a node is told of the failure of another.
func (w *ward) onDown(told func(n, about uint32)) {
	for _, n := range w.nodes {
		n.OnNotify = func(note swim.Notification[ID]) {
			if m := &note.Member; note.Kind == swim.NotifyDown && m.State == swim.Down && m.ID.Node < agents {
				told(n.number, m.ID.Node)
			}
		}
	}
}

// beside adds a finding that is not judged beside what was published.
func (out *Outcome) beside(metric string, published, measured float64, samples int) {
	out.shown(metric, measured, samples)
	out.Findings[len(out.Findings)-1].Expected = published
}

// series returns a series of the values that f has at some points.
func series(name string, mark SeriesMark, points int, f func(i int) (x, y float64)) Series {
	s := Series{Name: name, Mark: mark}
	for i := range points {
		x, y := f(i)
		s.X, s.Y = append(s.X, x), append(s.Y, y)
	}
	return s
}
