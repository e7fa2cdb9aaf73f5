package sim

import (
	"strings"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// cutOff is a world of seven in which nobody hears node 2 any more, and node 5
// breaks a promise when it holds 2 down.
func cutOff(r *Recorder) *World {
	w := New(5, LAN)
	w.Trace = r.Trace
	w.Grow(7)
	w.Run(20 * time.Second)
	w.Impair("cable", Nodes(2), Nodes(0, 1, 3, 4, 5, 6), Link{Cut: true})
	w.Impair("cable back", Nodes(0, 1, 3, 4, 5, 6), Nodes(2), Link{Cut: true})
	w.Halt = func(Violation) bool { return true }
	w.Node(5).OnNotify = func(n swim.Notification[ID]) {
		if n.Kind == swim.NotifyDown {
			w.After(0, func() { w.oracle.broken("T1", w.Node(5), 2, "holds %v down", n.Member) })
		}
	}
	w.Run(2 * time.Minute)
	return w
}

func TestExplanationGoesBackToTheOrigin(t *testing.T) {
	var r Recorder
	w := cutOff(&r)
	if len(w.Violations) != 1 {
		t.Fatalf("%d violations", len(w.Violations))
	}
	text := r.Explain(w.Violations[0])
	golden(t, "explain.txt", text)
	for _, want := range []string{
		`was lost: cut by "cable back"`, "indirect-ping", "because its probe #", "told by", "because its probe #23", "because the time to refute is over", "node 5: 2 suspect",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if lines := strings.Count(text, "\n"); lines > 30 {
		t.Errorf("%d lines", lines)
	}
}

func TestViolationOfNoMemberIsExplainedByWhatTheNodeDid(t *testing.T) {
	var r Recorder
	w := New(5, LAN)
	w.Trace = r.Trace
	w.Grow(3)
	w.Run(5 * time.Second)
	w.oracle.broken("T1", w.Node(1), 77, "no such member")
	text := r.Explain(w.Violations[0])
	if n := strings.Count(text, "\n"); n != 1+maxLastStep || !strings.Contains(text, "@ probe") {
		t.Errorf("%d lines:\n%s", n, text)
	}
}

func TestNothingRecordedIsNothingExplained(t *testing.T) {
	var r Recorder
	v := Violation{Invariant: "T1", Node: 3, Text: "nothing"}
	if text := r.Explain(v); text != v.String()+"\n" {
		t.Errorf("%q", text)
	}
}

// A packet that arrives otherwise than it was sent explains what it said.
func TestDamageOnTheWayIsNamed(t *testing.T) {
	var r Recorder
	w := New(1, LAN)
	w.Trace = r.Trace
	w.Unchecked = true
	w.Grow(3)
	w.Impair("noise", Nodes(0), Nodes(1), Link{Flip: 0.5})
	named := func() bool {
		for i := range r.Len() {
			e := r.Event(i)
			if e.Kind != EventChange {
				continue
			}
			v := Violation{Invariant: "T1", At: e.At, Step: e.Step, Node: e.Node, About: e.Change.About(), Text: "believes nonsense"}
			if strings.Contains(r.Explain(v), "was damaged on its way") {
				return true
			}
		}
		return false
	}
	if !w.RunUntil(time.Minute, named) {
		t.Error("no explanation says so")
	}
}
