package sim

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

func TestEveryDrawnPlanIsValidAndEveryKindIsDrawn(t *testing.T) {
	drawn, oddRules := map[FaultKind]int{}, map[swim.Rules]int{}
	lifeguards := map[[5]bool]int{}
	quiet, cored, faults := 0, 0, 0
	const plans = 10_000
	for seed := range uint64(plans) {
		p := Draw(seed, Mix{})
		checkPlan(t, p)
		for _, f := range p.Faults {
			drawn[f.Kind]++
		}
		oddRules[p.Config.Rules]++
		c := &p.Config
		lifeguards[[5]bool{c.Rules.SilentPing, c.Rules.SilentRelay, c.Confirmations == swim.Off, c.MaxHealth == swim.Off, c.DeafLimit == swim.Off}]++
		faults += len(p.Faults)
		if !slices.ContainsFunc(p.Faults, func(f Fault) bool { return harms[f.Kind] != harmNone }) {
			quiet++
		}
		if p.Core != nil {
			cored++
		}
	}
	for _, k := range FaultKinds() {
		if drawn[k] < plans/100 {
			t.Errorf("%s was drawn %d times in %d plans", k, drawn[k], plans)
		}
	}
	for _, r := range []swim.Rules{{}, {FinalDown: true}, {SoleVerdict: true}, {AccuserDeadline: true}, {SilentSuspicion: true}} {
		if oddRules[r] < plans/100 {
			t.Errorf("%+v was drawn %d times in %d plans", r, oddRules[r], plans)
		}
	}
	if len(lifeguards) != 32 {
		t.Errorf("%d combinations of the parts of Lifeguard were drawn, there are 32", len(lifeguards))
	}
	if quiet < plans*14/100 || quiet > plans*20/100 {
		t.Errorf("%d of %d plans are without faults", quiet, plans)
	}
	if cored < plans*3/4 {
		t.Errorf("%d of %d plans have a second phase", cored, plans)
	}
	t.Logf("%d quiet, %d with a core, %.1f faults each, %v", quiet, cored, float64(faults)/plans, drawn)
}

func checkPlan(t *testing.T, p Plan) {
	t.Helper()
	if _, err := swim.New(ID{0, 1}, p.Config, codec, nil); err != nil {
		t.Fatalf("seed %d: %v", p.Seed, err)
	}
	if p.Nodes < 1 || p.Nodes > 64 || p.For < 5*60*p.Config.Period || p.For > 3600*p.Config.Period || p.Form <= 0 {
		t.Fatalf("seed %d: %d nodes for %v", p.Seed, p.Nodes, p.For)
	}
	names := map[string]bool{}
	for _, f := range p.Faults {
		if _, known := kinds[f.Kind]; !known || names[f.Name] || f.At < 0 || f.At >= p.For || f.For < 0 || f.Every < 0 {
			t.Fatalf("seed %d: %+v", p.Seed, f)
		}
		names[f.Name] = true
	}
	if len(p.Faults) > mostFaults+4 {
		t.Fatalf("seed %d: %d faults", p.Seed, len(p.Faults))
	}
	if p.Core != nil && !p.Core.Has(0) {
		t.Fatalf("seed %d: no seed in %v", p.Seed, p.Core)
	}
}

func TestDoublingsAreEquallyLikely(t *testing.T) {
	d := roll(1, "log")
	var short, long int
	for range 10_000 {
		switch at := d.logTime(time.Second, 24*time.Hour); {
		case at < time.Second || at > 24*time.Hour:
			t.Fatal(at)
		case at < 294*time.Second: // the geometric mean
			short++
		default:
			long++
		}
	}
	if short < 4500 || long < 4500 {
		t.Errorf("%d short, %d long", short, long)
	}
}

func TestSameSeedSamePlan(t *testing.T) {
	for seed := range uint64(200) {
		if a, b := Draw(seed, Mix{Large: true}), Draw(seed, Mix{Large: true}); !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d: %+v, then %+v", seed, a, b)
		}
	}
}

func TestLargeClustersAreRareAndShort(t *testing.T) {
	large := 0
	for seed := range uint64(2000) {
		p := Draw(seed, Mix{Large: true})
		if p.Nodes <= 64 {
			continue
		}
		if large++; p.Nodes > 1000 || p.For > 3600*p.Config.Period {
			t.Errorf("seed %d: %d nodes for %v", seed, p.Nodes, p.For)
		}
	}
	if large < 20 || large > 80 {
		t.Errorf("%d of 2000", large)
	}
}

func TestPlansSurviveBeingWrittenDown(t *testing.T) {
	for seed := range uint64(300) {
		p := Draw(seed, Mix{})
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var again Plan
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(p, again) {
			t.Fatalf("seed %d: read %+v, wrote %+v", seed, again, p)
		}
	}
}

// A fault of nobody is left when the last node of one is taken out.
func TestFaultOfNobodySurvivesBeingWrittenDown(t *testing.T) {
	for _, nodes := range []Set{nil, {}, {3}} {
		text, err := json.Marshal(Fault{Kind: FaultCrash, Nodes: nodes})
		if err != nil {
			t.Fatal(err)
		}
		var f Fault
		if err := json.Unmarshal(text, &f); err != nil {
			t.Fatal(err)
		}
		if f.Nodes.Has(0) != nodes.Has(0) || f.Nodes.Has(3) != nodes.Has(3) {
			t.Errorf("read %v from %s, wrote %v", f.Nodes, text, nodes)
		}
	}
}

func TestDrawnPlansRunTheSameTwice(t *testing.T) {
	for seed := range uint64(12) {
		p := Draw(seed, Mix{MaxNodes: 8, Least: time.Minute, Most: time.Minute})
		if a, b := p.Run(nil), p.Run(func(Event) {}); a.Hash != b.Hash {
			t.Errorf("seed %d: %x, then %x", seed, a.Hash, b.Hash)
		}
	}
}
