package swim

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	swarmRuns  = flag.Int("swarm.runs", 150, "how many clusters TestSwarm draws")
	swarmSeed  = flag.Uint64("swarm.seed", 1, "the seed of its first cluster")
	swarmTrace = flag.Bool("swarm.trace", false, "print everything that happens")
)

// TestSwarm draws small clusters, configurations and faults from a seed, and
// checks the invariants after every input of every member. Then the faults
// stop, and all who live must soon agree on exactly those who live. One run
// in seven has no faults: nobody may ever be suspected in it.
//
// To repeat a failure: go test -run TestSwarm -swarm.runs 1 -swarm.seed N.
func TestSwarm(t *testing.T) {
	for i := range uint64(*swarmRuns) {
		seed := *swarmSeed + i
		if !t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { newSwarm(t, seed).live() }) {
			return
		}
	}
}

// live lets the cluster form, suffer and recover.
func (s *swarm) live() {
	s.form()
	if s.calm {
		s.stayCalm()
		return
	}
	s.suffer()
	s.heal()
	if s.broken {
		s.run(20 * time.Second) // somebody invented members, so nobody needs to agree
		return
	}
	s.agree()
}

// A swarm is a cluster and the faults that were drawn for it.
type swarm struct {
	*cluster
	rnd     *rand.Rand
	calm    bool
	broken  bool // packets are damaged, and nothing but the codec notices
	lives   map[string]int
	cuts    map[[2]string]bool // links that are cut, from and to
	amnesia map[who]bool       // lives that began twice
}

// newSwarm draws a configuration, a cluster and which faults there are.
func newSwarm(t testing.TB, seed uint64) *swarm {
	rnd := rand.New(rand.NewPCG(seed, 0x5eed))
	cfg := Config{
		Period:          200 * time.Millisecond,
		RoundTrip:       time.Duration(40+rnd.IntN(60)) * time.Millisecond,
		IndirectProbes:  []int{Off, 1, 3, 3, 3}[rnd.IntN(5)],
		Gossip:          Task{Every: []time.Duration{Off, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond}[rnd.IntN(4)], Num: 1 + rnd.IntN(4)},
		Announce:        Task{Every: time.Duration(1+rnd.IntN(4)) * time.Second, Num: 1},
		AnnounceDown:    Task{Every: time.Duration(1+rnd.IntN(4)) * time.Second, Num: 1 + rnd.IntN(3)},
		SuspicionFactor: 2 + rnd.IntN(4),
		LeaveTimeout:    time.Second,
		ForgetAfter:     []time.Duration{5 * time.Second, time.Hour}[rnd.IntN(2)],
		MaxPacket:       []int{0, 0, 400, names.MaxHeader() + names.MaxUpdate()}[rnd.IntN(4)],
	}
	// D7: with each part of Lifeguard as it is, otherwise, or off.
	parts := rand.New(rand.NewPCG(seed, 0x11fe))
	cfg.Confirmations = []int{0, 0, 0, 1, Off}[parts.IntN(5)]
	cfg.MaxHealth = []int{0, 0, 0, 2, Off}[parts.IntN(5)]
	cfg.DeafLimit = []time.Duration{0, 0, 0, time.Second, Off}[parts.IntN(5)]
	cfg.Rules.SilentPing, cfg.Rules.SilentRelay = parts.IntN(5) == 0, parts.IntN(5) == 0
	s := &swarm{
		cluster: newCluster(t, cfg),
		rnd:     rnd,
		calm:    rnd.IntN(7) == 0,
		broken:  rnd.IntN(10) == 0,
		lives:   map[string]int{},
		cuts:    map[[2]string]bool{},
		amnesia: map[who]bool{},
	}
	if s.broken {
		// Otherwise those whose tombstones have no room come back by gossip,
		// as suspects, and go again, without end.
		s.cfg.MaxTombstones = 1 + rnd.IntN(3)
	}
	s.cluster.rnd = rand.New(rand.NewPCG(seed, 0x11e7))
	s.lost = func(from, to string) bool { return s.cuts[[2]string{from, to}] }
	s.latency = time.Duration(1+rnd.IntN(10)) * time.Millisecond
	if *swarmTrace {
		s.trace = t.Output()
	}
	for i := range 2 + rnd.IntN(11) {
		s.begin(string(rune('a' + i)))
	}
	return s
}

// begin starts the next life of a process. The first two names are the seeds.
func (s *swarm) begin(name string) {
	s.lives[name]++
	s.again(name)
}

// again starts a process with the generation that it had.
func (s *swarm) again(name string) {
	if n := s.find(name); n != nil && n.core.us.id.life >= s.lives[name] {
		s.amnesia[who{name, s.lives[name]}] = true
	}
	s.start(name, s.lives[name])
	s.input(name, func(c *Core[who, string], rt Runtime[who]) error {
		return c.SetSeeds([]who{{"a", 0}, {"b", 0}}, rt)
	})
}

// input is an input that has no reason to fail.
func (s *swarm) input(name string, do func(c *Core[who, string], rt Runtime[who]) error) {
	if err := s.do(name, do); err != nil {
		s.t.Fatalf("%v: %s: %v", s.now, name, err)
	}
}

// form waits until all know each other.
func (s *swarm) form() { s.converge(time.Minute, "forming") }

// stayCalm: as long as nothing is wrong nobody is suspected, whatever is told.
func (s *swarm) stayCalm() {
	for range 10 {
		s.broadcast()
		s.run(time.Second)
	}
	for _, n := range s.nodes {
		st := n.core.Stats()
		if st.ProbesFailed+st.ProbesVoid+st.Refutations+st.Renewals+st.Pauses+st.Conflicts > 0 || st.Suspect+st.Down+st.Lone > 0 {
			s.t.Fatalf("L2: without any fault %s counted %+v", n.name, st)
		}
	}
}

// suffer lets some kinds of faults happen for a while.
func (s *swarm) suffer() {
	kinds := []func(){
		func() { s.loss = s.rnd.Float64() * 0.3 },
		func() { s.twice = s.rnd.Float64() * 0.3 },
		func() { s.jitter = time.Duration(s.rnd.Int64N(int64(300 * time.Millisecond))) },
		s.partition, s.oneWay, s.crashOne, s.restart, s.pauseOne, s.leaveOne, s.joinOne, s.rename, s.broadcast, s.configure,
	}
	if s.broken {
		s.damage = s.rnd.Float64() * 0.2
	}
	s.rnd.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	kinds = kinds[:1+s.rnd.IntN(len(kinds))]
	for range 5 + s.rnd.IntN(25) {
		kinds[s.rnd.IntN(len(kinds))]()
		s.run(time.Duration(s.rnd.Int64N(int64(2 * time.Second))))
		if s.rnd.IntN(3) == 0 {
			clear(s.cuts)
		}
	}
}

// any returns a process that runs, or nil.
func (s *swarm) any() *testNode {
	n := s.nodes[s.rnd.IntN(len(s.nodes))]
	if !n.running || n.paused {
		return nil
	}
	return n
}

func (s *swarm) partition() {
	side := map[string]bool{}
	for _, n := range s.nodes {
		side[n.name] = s.rnd.IntN(2) == 0
	}
	for _, a := range s.nodes {
		for _, b := range s.nodes {
			if side[a.name] != side[b.name] {
				s.cuts[[2]string{a.name, b.name}] = true
			}
		}
	}
}

// oneWay makes one process deaf or mute, or cuts one link in one direction.
func (s *swarm) oneWay() {
	a, b, kind := s.nodes[s.rnd.IntN(len(s.nodes))], s.nodes[s.rnd.IntN(len(s.nodes))], s.rnd.IntN(3)
	for _, n := range s.nodes {
		switch {
		case kind == 0:
			s.cuts[[2]string{a.name, n.name}] = true
		case kind == 1:
			s.cuts[[2]string{n.name, a.name}] = true
		case n == b:
			s.cuts[[2]string{a.name, b.name}] = true
		}
	}
}

func (s *swarm) crashOne() {
	if n := s.any(); n != nil {
		s.crash(n.name)
	}
}

// restart starts a process again, at once or after a crash, sometimes without
// a new generation.
func (s *swarm) restart() {
	n := s.nodes[s.rnd.IntN(len(s.nodes))]
	if n.paused {
		return
	}
	if s.rnd.IntN(3) == 0 && n.core.us.phase != gone && n.core.us.phase != saysGoodbye {
		s.again(n.name)
		return
	}
	s.lives[n.name] = max(s.lives[n.name], n.core.us.id.life)
	s.begin(n.name)
}

func (s *swarm) pauseOne() {
	if n := s.any(); n != nil {
		s.pause(n.name)
		s.run(time.Duration(s.rnd.Int64N(int64(10 * time.Second))))
		s.resume(n.name)
	}
}

func (s *swarm) leaveOne() {
	n := s.any()
	if n == nil || s.do(n.name, (*Core[who, string]).Leave) != nil {
		return
	}
	if s.rnd.IntN(2) == 0 {
		s.run(time.Duration(s.rnd.Int64N(int64(2 * time.Second))))
		s.rejoin(n)
	}
}

// rename gives a process its next identity by its owner.
func (s *swarm) rename() {
	if n := s.any(); n != nil {
		s.rejoin(n)
	}
}

func (s *swarm) rejoin(n *testNode) {
	next := who{n.name, max(s.lives[n.name], n.core.us.id.life) + 1}
	s.lives[n.name] = next.life
	s.input(n.name, func(c *Core[who, string], rt Runtime[who]) error { return c.ChangeIdentity(next, rt) })
}

func (s *swarm) joinOne() {
	if len(s.nodes) < 12 {
		s.begin(string(rune('a' + len(s.nodes))))
	}
}

func (s *swarm) broadcast() {
	n := s.any()
	if n == nil {
		return
	}
	item := fmt.Sprintf("%s=%d %s", n.name, s.sent, strings.Repeat("x", s.rnd.IntN(20)))
	s.input(n.name, func(c *Core[who, string], rt Runtime[who]) error {
		if _, err := c.AddBroadcast([]byte(item), rt); err != nil || c.us.phase != connected {
			return err
		}
		return c.Broadcast(rt)
	})
	s.input(n.name, func(c *Core[who, string], rt Runtime[who]) error { return c.SetMetadata(c.us.meta+1, rt) })
}

// configure changes what may change while a core runs.
func (s *swarm) configure() {
	n := s.any()
	if n == nil {
		return
	}
	cfg := n.core.Config()
	cfg.Gossip.Num = 1 + s.rnd.IntN(4)
	cfg.AnnounceDown.Every = time.Duration(1+s.rnd.IntN(4)) * time.Second
	cfg.SuspicionFactor = 2 + s.rnd.IntN(4)
	s.input(n.name, func(c *Core[who, string], rt Runtime[who]) error { return c.Configure(cfg, rt) })
}

// heal ends the faults. Who crashed stays away.
func (s *swarm) heal() {
	clear(s.cuts)
	s.loss, s.twice, s.jitter, s.damage = 0, 0, 0, 0
	if !slices.ContainsFunc(s.nodes[:2], (*testNode).alive) {
		s.lives["a"] = max(s.lives["a"], s.node("a").core.us.id.life)
		s.begin("a")
	}
}

// alive reports whether a process runs and takes part.
func (n *testNode) alive() bool { return n.running && n.core.us.present() }

// agree waits until all who live see exactly those, and then until it is quiet.
func (s *swarm) agree() {
	s.converge(2*time.Minute, "after the faults")
	s.run(20 * time.Second)
	for _, n := range s.nodes {
		if !n.running {
			continue
		}
		st := n.core.Stats()
		if n.core.us.phase == connected && (n.core.untold() || st.Broadcasts > 0 || st.Relays > s.cfg.MaxRelays) && s.cfg.Gossip.Every != Off {
			s.t.Errorf("L8: after all is settled %s still has to tell %d updates and %d payloads", n.name, st.Backlog, st.Broadcasts)
		}
		if most := 8 + 2*n.core.roster.len(); n.out.Len() > most+16 {
			s.t.Errorf("S16: %s waits for %d events\n%v", n.name, n.out.Len(), n.out)
		}
	}
	if wrong := s.disagreement(); wrong != "" {
		s.t.Errorf("%v: no longer agree: %s", s.now, wrong)
	}
}

// converge lets time pass until all agree.
func (s *swarm) converge(most time.Duration, when string) {
	s.t.Helper()
	for end := s.now.Add(most); s.disagreement() != ""; s.run(s.cfg.Period) {
		if s.now > end {
			s.t.Fatalf("%v: %s: %s", s.now, when, s.disagreement())
		}
	}
}

// disagreement says who sees what that is not so.
func (s *swarm) disagreement() string {
	for _, n := range s.nodes {
		if !n.alive() {
			continue
		}
		if len(s.living()) > 1 && n.core.us.phase != connected {
			return n.name + " is alone"
		}
		expected := len(s.living()) - 1
		if n.core.NumActive() != expected {
			return fmt.Sprintf("%s sees %d of %d others: %s", n.name, n.core.NumActive(), expected, s.view(n.name))
		}
		for m := range n.core.Active() {
			other := s.node(m.ID.name)
			self := other.core.Self()
			if s.amnesia[self.ID] && m.Incarnation >= self.Incarnation {
				// It forgot what it said, and nobody has a reason to remind it.
				m.Incarnation, m.Metadata = self.Incarnation, self.Metadata
			}
			if !other.alive() || m != self {
				return fmt.Sprintf("%s sees %+v, which is %+v (alive: %v)", n.name, m, self, other.alive())
			}
		}
	}
	return ""
}

func (s *swarm) living() (alive []*testNode) {
	for _, n := range s.nodes {
		if n.alive() {
			alive = append(alive, n)
		}
	}
	return alive
}
