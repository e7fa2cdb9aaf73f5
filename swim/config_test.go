package swim

import (
	"errors"
	"testing"
	"time"
)

// Rule 105: a configuration that is out of range names its field.
func TestInvalidConfigurationNamesItsField(t *testing.T) {
	for field, spoil := range map[string]func(c *Config){
		"Period":               func(c *Config) { c.Period = time.Microsecond },
		"RoundTrip":            func(c *Config) { c.RoundTrip = c.Period*3/4 + 1 },
		"IndirectProbes":       func(c *Config) { c.IndirectProbes = maxIndirect + 1 },
		"Gossip.Every":         func(c *Config) { c.Gossip.Every = -2 },
		"Gossip.Num":           func(c *Config) { c.Gossip.Num = 65 },
		"Announce.Every":       func(c *Config) { c.Announce.Every = 25 * time.Hour },
		"AnnounceDown.Num":     func(c *Config) { c.AnnounceDown.Num = -1 },
		"SuspicionFactor":      func(c *Config) { c.SuspicionFactor = -3 },
		"Transmissions.Factor": func(c *Config) { c.Transmissions.Factor = MaxTransmissions + 1 },
		"Transmissions.Base":   func(c *Config) { c.Transmissions.Base = 7 },
		"Transmissions.Least":  func(c *Config) { c.Transmissions.Least = -1 },
		"Members":              func(c *Config) { c.Members = -1 },
		"ForgetAfter":          func(c *Config) { c.ForgetAfter = c.Period - 1 },
		"LeaveTimeout":         func(c *Config) { c.LeaveTimeout = -1 },
		"StallLimit":           func(c *Config) { c.StallLimit = 1 },
		"MaxPacket":            func(c *Config) { c.MaxPacket = 100 }, // less than this codec needs
		"MaxReceive":           func(c *Config) { c.MaxReceive = maxDatagram + 1 },
		"MaxMembers":           func(c *Config) { c.MaxMembers = -1 },
		"MaxTombstones":        func(c *Config) { c.MaxTombstones = -1 },
		"MaxNewMembers":        func(c *Config) { c.MaxNewMembers = -1 },
		"MaxRelays":            func(c *Config) { c.MaxRelays = 1<<16 + 1 },
		"MaxBroadcasts":        func(c *Config) { c.MaxBroadcasts = -1 },
	} {
		c := newTestCore(t, Config{}, "a", "b")
		cfg := c.Config()
		spoil(&cfg)
		hash := c.Hash()
		var wrong *ConfigError
		if err := c.Configure(cfg, c.out); !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
		if c.Hash() != hash || c.Config() == cfg {
			t.Errorf("%s: something has changed", field)
		}
		if _, err := New(who{"a", 1}, cfg, names, nil); !errors.As(err, &wrong) {
			t.Errorf("%s: New returned %v", field, err)
		}
	}
}

func TestPresetsAreValidAndComplete(t *testing.T) {
	for name, cfg := range map[string]Config{"paper": Paper(), "lan": LAN(100), "wan": WAN(100), "local": Local(), "zero": {}} {
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if full := cfg.WithDefaults(); name != "zero" && full != cfg {
			t.Errorf("%s leaves something out", name)
		}
	}
	lan := Config{}.WithDefaults()
	if lan.Period != time.Second || lan.RoundTrip != 500*time.Millisecond || lan.IndirectProbes != 3 ||
		lan.Gossip != (Task{200 * time.Millisecond, 3}) || lan.Announce != (Task{30 * time.Second, 1}) ||
		lan.AnnounceDown != (Task{65 * time.Second, 2}) || lan.SuspicionFactor != 4 ||
		lan.ForgetAfter != 24*time.Hour || lan.MaxPacket != 1400 || lan.MaxReceive != 65507 || lan.StallLimit != 250*time.Millisecond {
		t.Errorf("the defaults are %+v", lan)
	}
}

// Rules 85-86, D12: what is safe changes at run time; each task may be switched
// on and off.
func TestTasksAreSwitchedOnAndOffAtRunTime(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b")
	c.know(claim("d", 1, Down, 0, "x", "y"))
	armed := func(why string, want ...TimerKind) {
		t.Helper()
		on := make(map[TimerKind]bool)
		for _, k := range want {
			on[k] = true
		}
		for _, k := range []TimerKind{TimerAnnounce, TimerAnnounceDown, TimerGossip} {
			if c.tasks[k].armed != on[k] {
				t.Errorf("%s: %v armed is %v", why, k, !on[k])
			}
		}
	}
	armed("all off")
	cfg := c.Config()
	cfg.Announce, cfg.AnnounceDown, cfg.Gossip = Task{time.Second, 1}, Task{time.Second, 1}, Task{time.Second, 1}
	configure := func() {
		t.Helper()
		if err := c.Configure(cfg, c.out); err != nil {
			t.Error(err)
		}
	}
	configure()
	armed("nothing is to be told yet", TimerAnnounce, TimerAnnounceDown)
	if err := c.hear("b", gossip, claim("e", 1, Alive, 0)); err != nil {
		t.Error(err)
	}
	armed("news", TimerAnnounce, TimerAnnounceDown, TimerGossip)
	cfg = calm().WithDefaults()
	configure()
	armed("off again")
	cfg.Period, cfg.RoundTrip = 3*time.Second, time.Second
	configure()
	if got := c.tasks[TimerProbe]; got.due != c.now.Add(3*time.Second) {
		t.Errorf("the next probe is at %v", got.due)
	}
}

// D12: a smaller packet drops, and counts, payloads that no longer fit.
func TestSmallerPacketDropsLargePayloads(t *testing.T) {
	c := newTestCoreOf(t, calm(), who{"a", 1}, &testNode{values: map[string]uint64{}}, "b")
	for _, item := range []string{"small=1", string(make([]byte, 600)) + "=1"} {
		if _, err := c.AddBroadcast([]byte(item), c.out); err != nil {
			t.Fatal(err)
		}
	}
	cfg := c.Config()
	cfg.MaxPacket = 400
	if err := c.Configure(cfg, c.out); err != nil {
		t.Error(err)
	}
	if s := c.Stats(); s.Broadcasts != 1 || s.PayloadsLost != 1 {
		t.Errorf("%d payloads are left, %d were lost", s.Broadcasts, s.PayloadsLost)
	}
}
