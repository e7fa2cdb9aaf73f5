package swim

import (
	"reflect"
	"testing"
	"time"
)

// busyProber returns a prober that has asked others for help, owes a nack, and
// holds a suspicion that was confirmed.
func busyProber(t *testing.T) *testCore {
	t.Helper()
	c := prober(t, patient(), "c", "d", "e")
	if err := c.hear("c", gossip, claim("e", 1, Suspect, 0, "c")); err != nil {
		t.Fatal(err)
	}
	c.askRelay("d", 7, "c", 400)
	if err := c.indirect(); err != nil {
		t.Fatal(err)
	}
	return c
}

// D7: what decides what a core does next is in its hash: each value of
// Lifeguard's changes it, and taking the change back gives the hash that was.
func TestHashCoversLifeguard(t *testing.T) {
	c := busyProber(t)
	d := c.doubtAbout("e")
	for name, value := range map[string]any{
		"doubt about ourselves":    &c.health.doubt,
		"heard":                    &c.pause.heard,
		"since":                    &d.since,
		"least":                    &d.least,
		"most":                     &d.most,
		"lag":                      &d.lag,
		"enough":                   &d.enough,
		"told":                     &d.told,
		"asked for nacks":          &c.probe.nacks,
		"a helper's nack":          &c.probe.helpers[0].nacked,
		"a helper's word":          &c.probe.helpers[0].vouched,
		"when a nack is due":       &c.relays[0].nackAt,
		"when nacks are sent":      &c.tasks[TimerNack].due,
		"the event for nacks":      &c.tasks[TimerNack].token,
		"Config.MaxSuspicion":      &c.cfg.MaxSuspicion,
		"Config.Confirmations":     &c.cfg.Confirmations,
		"Config.MaxHealth":         &c.cfg.MaxHealth,
		"Config.DeafLimit":         &c.cfg.DeafLimit,
		"Config.Rules.SilentPing":  &c.cfg.Rules.SilentPing,
		"Config.Rules.SilentRelay": &c.cfg.Rules.SilentRelay,
	} {
		before := c.Hash()
		v := reflect.ValueOf(value).Elem()
		was := reflect.New(v.Type()).Elem()
		was.Set(v)
		switch {
		case v.Kind() == reflect.Bool:
			v.SetBool(!v.Bool())
		case v.CanInt():
			v.SetInt(v.Int() + 1)
		default:
			v.SetUint(v.Uint() + 1)
		}
		if c.Hash() == before {
			t.Errorf("%s is not in the hash", name)
		}
		v.Set(was)
		if c.Hash() != before {
			t.Errorf("%s: the hash is another although the state is the same", name)
		}
	}
}

// A clone shares neither helpers nor relays nor doubts with its original.
func TestCloneHasItsOwnNacksAndConfirmations(t *testing.T) {
	c := busyProber(t)
	clone := c.Clone(newRand(1))
	hash := clone.Hash()
	if hash != c.Hash() {
		t.Fatal("the clone is another")
	}
	if err := c.hear("c", Header[who]{Message: MessageNack, Number: c.probe.number, About: who{"b", 1}}); err != nil {
		t.Error(err)
	}
	if err := c.hear("d", gossip, claim("e", 1, Suspect, 0, "d")); err != nil {
		t.Error(err)
	}
	c.run(time.Second)
	if clone.Hash() != hash {
		t.Error("what the original did changed the clone")
	}
}
