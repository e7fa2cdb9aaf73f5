package swim

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var (
	damageRuns = flag.Int("damage.runs", 400, "how many clusters TestClusterHealsFromAnyDamage draws")
	damageSeed = flag.Uint64("damage.seed", 1, "the seed of its first cluster")
)

// Rules 108-113, L10: values of the state are overwritten, several at once
// on any members. When that stops all must agree, without a restart, on exactly
// those who live, and be quiet.
//
// To repeat a failure: go test -run TestClusterHealsFromAnyDamage
// -damage.runs 1 -damage.seed N.
func TestClusterHealsFromAnyDamage(t *testing.T) {
	slowest, total := time.Duration(0), time.Duration(0)
	for i := range uint64(*damageRuns) {
		seed := *damageSeed + i
		if !t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			took := runDamage(t, seed)
			slowest, total = max(slowest, took), total+took
		}) {
			return
		}
	}
	t.Logf("%d clusters: healed after %v on average, %v at most", *damageRuns, total/time.Duration(*damageRuns), slowest)
}

func runDamage(t *testing.T, seed uint64) time.Duration {
	rnd := rand.New(rand.NewPCG(seed, 0xdead))
	cfg := Local()
	cfg.MaxMembers = 64
	cfg.Announce.Every, cfg.AnnounceDown.Every = 2*time.Second, 3*time.Second
	cfg.ForgetAfter = []time.Duration{20 * time.Second, time.Hour}[rnd.IntN(2)]
	members := []string{"a", "b", "c", "d", "e", "f", "g", "h"}[:2+rnd.IntN(7)]
	s := &swarm{cluster: newCluster(t, cfg, members...), rnd: rnd, lives: map[string]int{}}
	s.unguarded = true
	s.meet()
	s.run(time.Duration(3+rnd.IntN(4)) * time.Second)
	if len(members) > 3 {
		// Some are gone, so that there are tombs, too.
		s.crash(members[len(members)-1])
		if rnd.IntN(2) == 0 {
			if err := s.do(members[len(members)-2], (*Core[who, string]).Leave); err != nil {
				t.Fatal(err)
			}
		}
		s.run(time.Duration(rnd.IntN(8)) * time.Second)
	}
	var said []string
	for range 1 + rnd.IntN(3) {
		for range 1 + rnd.IntN(8) {
			n := s.nodes[rnd.IntN(len(s.nodes))]
			if !n.running || n.core.us.state() == Left {
				continue
			}
			said = append(said, fmt.Sprintf("%v %s: %s", s.now, n.name, n.core.Damage(rnd)))
		}
		if n := s.any(); n != nil && n.alive() {
			_ = s.do(n.name, func(c *Core[who, string], rt Runtime[who]) error {
				_, err := c.AddBroadcast(fmt.Appendf(nil, "%s=%d", n.name, s.sent), rt)
				return errors.Join(err, c.SetMetadata(c.us.meta+1, rt))
			}) // refused at the largest version
		}
		s.run(time.Duration(rnd.IntN(1500)) * time.Millisecond)
	}
	defer func() {
		if t.Failed() {
			t.Log(strings.Join(said, "\n"))
		}
	}()
	began := s.now
	quiet := func() bool {
		for _, n := range s.living() {
			if n.core.untold() {
				return false
			}
		}
		return s.disagreement() == ""
	}
	for ; !quiet(); s.run(cfg.Period) {
		if s.now.Sub(began) > 15*time.Minute {
			for _, n := range s.nodes {
				t.Logf("%s: us %+v, tasks %+v, events\n%v", n.name, n.core.us, n.core.tasks, n.out)
			}
			t.Fatalf("%v after the damage: %s", s.now.Sub(began), s.disagreement())
		}
	}
	took := s.now.Sub(began)
	s.run(cfg.Period * 60)
	before, mended := s.sent, uint64(0)
	for _, n := range s.living() {
		mended -= n.core.stats.Mended
	}
	const rest = 10 * time.Second
	s.run(rest)
	for _, n := range s.living() {
		mended += n.core.stats.Mended
		if err := NewGuard(n.core).CheckAll(); err != nil {
			t.Errorf("%s: %v", n.name, err)
		}
	}
	// A wrong moment that may be true is found when it has passed.
	if mended > uint64(3*len(members)) {
		t.Errorf("mends without end: %d", mended)
	}
	if wrong := s.disagreement(); wrong != "" {
		t.Errorf("agreed after %v, but no longer: %s", took, wrong)
	}
	// Two packets a probe, two an announce to a member and to one that is gone.
	n := len(s.living())
	if most := n * int(rest/cfg.Period) * 4; s.sent-before > most {
		t.Errorf("%d packets in %v of rest, at most %d", s.sent-before, rest, most)
	}
	return took
}
