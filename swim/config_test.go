package swim

import (
	"errors"
	"reflect"
	"slices"
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
		"MaxSuspicion":         func(c *Config) { c.MaxSuspicion = 101 },
		"Confirmations":        func(c *Config) { c.Confirmations = MaxAccusers },
		"MaxHealth":            func(c *Config) { c.MaxHealth = maxHealth + 1 },
		"DeafLimit":            func(c *Config) { c.DeafLimit = time.Millisecond - 1 },
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

// D7: the ends of the ranges of Lifeguard's settings, and one beyond.
func TestRangesOfLifeguardsSettings(t *testing.T) {
	for _, test := range []struct {
		field string
		set   func(c *Config, v int64)
		valid []int64
		wrong []int64
	}{
		{"MaxSuspicion", func(c *Config, v int64) { c.MaxSuspicion = int(v) }, []int64{0, 1, 100}, []int64{-1, -2, 101}},
		{"Confirmations", func(c *Config, v int64) { c.Confirmations = int(v) }, []int64{Off, 0, 1, 3}, []int64{-2, 4}},
		{"MaxHealth", func(c *Config, v int64) { c.MaxHealth = int(v) }, []int64{Off, 0, 1, 64}, []int64{-2, 65}},
		{"DeafLimit", func(c *Config, v int64) { c.DeafLimit = time.Duration(v) }, []int64{Off, 0, 1e6, 24 * 3600 * 1e9}, []int64{-2, 1, 24*3600*1e9 + 1}},
	} {
		for _, v := range test.valid {
			var c Config
			test.set(&c, v)
			if err := c.Validate(); err != nil {
				t.Errorf("%s = %d: %v", test.field, v, err)
			}
		}
		for _, v := range test.wrong {
			var c Config
			test.set(&c, v)
			var wrong *ConfigError
			if err := c.Validate(); !errors.As(err, &wrong) || wrong.Field != test.field || wrong.Range == "" {
				t.Errorf("%s = %d: %v", test.field, v, err)
			}
		}
	}
}

// D7: who hears nobody is deaf after five periods, which is at least 3 s and
// never more than there may be.
func TestDeafLimitFollowsThePeriod(t *testing.T) {
	for period, want := range map[time.Duration]time.Duration{
		time.Millisecond: 3 * time.Second, 200 * time.Millisecond: 3 * time.Second, time.Second: 5 * time.Second,
		5 * time.Second: 25 * time.Second, 24 * time.Hour: 24 * time.Hour,
	} {
		if got := (Config{Period: period}).WithDefaults().DeafLimit; got != want {
			t.Errorf("a period of %v: %v, want %v", period, got, want)
		}
	}
}

// notParts are the fields of a Config that switch nothing that the paper of 2002
// does not have: they are its own, sizes and limits, or mean nothing where the
// part that they belong to is off.
var notParts = []string{
	"Period", "RoundTrip", "IndirectProbes", "SuspicionFactor", "MaxSuspicion", "Transmissions", "Members", "ForgetAfter",
	"LeaveTimeout", "MaxPacket", "MaxReceive", "MaxMembers", "MaxTombstones", "MaxNewMembers", "MaxRelays", "MaxBroadcasts",
	"Notify",
}

// D7: Paper has every part of ours off, also those that somebody adds: a new
// field of Config fails here until Paper switches it off, or it is listed above.
func TestPaperHasEveryPartOff(t *testing.T) {
	paper, zero := reflect.ValueOf(Paper()), reflect.ValueOf(Config{}.WithDefaults())
	for i := range paper.NumField() {
		name, value := paper.Type().Field(i).Name, paper.Field(i)
		off := false
		switch v := value.Interface().(type) {
		case int:
			off = v == Off
		case time.Duration:
			off = v == Off
		case Task:
			off = v.Every == Off
		case Rules:
			rules := reflect.ValueOf(v)
			off = true
			for j := range rules.NumField() {
				if !rules.Field(j).Bool() {
					t.Errorf("Rules.%s is not set", rules.Type().Field(j).Name)
				}
			}
		}
		listed := slices.Contains(notParts, name)
		if off == listed {
			t.Errorf("%s is %v: off %v, listed as no part %v", name, value, off, listed)
		}
		if off && reflect.DeepEqual(value.Interface(), zero.Field(i).Interface()) {
			t.Errorf("%s is off by default", name)
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
		lan.MaxSuspicion != 6 || lan.Confirmations != 3 || lan.MaxHealth != 8 || lan.DeafLimit != 5*time.Second || lan.Rules != (Rules{}) ||
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
