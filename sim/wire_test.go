package sim

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A mixed cluster keeps all promises of its core that foca itself keeps, whatever
// goes wrong in it.
func TestMixedClustersKeepTheirPromises(t *testing.T) {
	wire := WireFoca
	for seed := range uint64(150) {
		p := Draw(seed, Mix{MaxNodes: 16, Least: time.Minute, Most: 3 * time.Minute, Wire: &wire})
		for _, v := range p.Run(nil).Violations {
			t.Errorf("seed %d: %v", seed, v)
		}
	}
}

// Half of the nodes keep to what foca does, and what is told crosses between the
// halves both ways.
func TestMixedClusterNoticesWhoeverFails(t *testing.T) {
	p := Plan{Seed: 5, Profile: LAN.Name, Wire: WireFoca, Nodes: 10, Form: 20 * time.Second, For: 3 * time.Minute, Core: Nodes(0, 1, 2, 3, 6, 7, 8, 9)}
	for i, n := range []uint32{4, 5} { // one of ours, and one of theirs
		p.Faults = append(p.Faults,
			Fault{Name: "crash " + ID{Node: n, Life: 1}.String(), Kind: FaultCrash, At: time.Duration(i) * time.Minute, Nodes: Nodes(n)})
	}
	p.Faults = append(p.Faults, Fault{Name: "leave", Kind: FaultLeave, At: 2 * time.Minute, Nodes: Nodes(3)})
	run := p.Begin(nil)
	r := run.Run()
	for _, v := range r.Violations {
		t.Error(v)
	}
	if r.Report.FalseDowns != 0 {
		t.Errorf("%d false downs", r.Report.FalseDowns)
	}
	for _, n := range run.World.Nodes() {
		if cfg := n.Core().Config(); cfg.Rules.AccuserDeadline != (n.Number()%2 == 1) || !cfg.Rules.FinalDown {
			t.Errorf("node %d has the rules %+v", n.Number(), cfg.Rules)
		}
		for _, gone := range []uint32{4, 5} {
			if m, _ := n.Core().Member(gone); n.Running() && m.State != swim.Down {
				t.Errorf("node %d holds %d for %v", n.Number(), gone, m.State)
			}
		}
	}
}

// Who has no number left to refute with renews, in the middle of a cluster.
func TestMixedClusterOutlivesItsNumbers(t *testing.T) {
	p := Plan{Seed: 6, Profile: LAN.Name, Wire: WireFoca, Nodes: 8, Form: 20 * time.Second, For: 4 * time.Minute, Core: those(0, 8),
		Faults: []Fault{
			{Name: "age", Kind: FaultAge, Nodes: Nodes(2, 3)},
			{Name: "link", Kind: FaultLink, At: time.Second, For: 3 * time.Minute, Link: &Link{Loss: 0.4}},
		}}
	run := p.Begin(nil)
	for _, v := range run.Run().Violations {
		t.Error(v)
	}
	for _, number := range []uint32{2, 3} {
		if self := run.World.Node(number).Core().Self(); self.ID.Life == 1 {
			t.Errorf("node %d never had to renew: %v", number, self)
		}
	}
}

func TestWireIsDrawnUnlessItIsSaid(t *testing.T) {
	drawn := map[Wire]int{}
	for seed := range uint64(800) {
		drawn[Draw(seed, Mix{}).Wire]++
		for _, wire := range Wires() {
			if got := Draw(seed, Mix{Wire: &wire}).Wire; got != wire {
				t.Fatalf("seed %d speaks %v, not %v", seed, got, wire)
			}
		}
	}
	if foca, sealed := drawn[WireFoca], drawn[WireSealed]; foca < 25 || foca > 75 || sealed < 140 || sealed > 240 {
		t.Errorf("%v of 800 plans", drawn)
	}
}

func TestWiresOfPlansHaveNames(t *testing.T) {
	if got := (Plan{Wire: WireFoca}).String(); !strings.Contains(got, "wire foca") {
		t.Errorf("a plan is printed as %q", got)
	}
	for text, want := range map[string]Wire{`"plain"`: WirePlain, `""`: WirePlain, `"foca"`: WireFoca, `"sealed"`: WireSealed} {
		wire := Wire("another")
		if err := json.Unmarshal([]byte(text), &wire); err != nil || wire != want {
			t.Errorf("%s is read as %v, %v", text, wire, err)
		}
	}
	if err := json.Unmarshal([]byte(`"morse"`), new(Wire)); err == nil {
		t.Error("a wire that there is not")
	}
	if WirePlain.String() != "plain" || WireFoca.String() != "foca" || WireSealed.String() != "sealed" || len(Wires()) != 3 {
		t.Errorf("the wires are %v", Wires())
	}
}

// A packet of any wire can be read by who tells what happened.
func TestEveryWireIsReadByThoseWhoTell(t *testing.T) {
	sent := swim.Packet[ID]{Header: swim.Header[ID]{Src: ID{1, 1}, Dst: ID{2, 1}, Message: swim.MessagePing, Number: 7}}
	for _, wire := range Wires() {
		data, err := wire.codec().Append(nil, 100, &sent)
		if err != nil {
			t.Fatal(err)
		}
		var p swim.Packet[ID]
		if err := read(data, &p); err != nil || p.Header != sent.Header {
			t.Errorf("%v: read %v, %v", wire, &p, err)
		}
	}
}
