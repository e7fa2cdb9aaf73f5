package sim

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

func TestReportSaysHowFastNewsTravel(t *testing.T) {
	w := New(3, LAN.watched())
	w.Grow(8)
	w.Run(time.Minute)
	w.Node(2).Crash()
	w.Run(time.Minute)
	w.Node(3).Do((*Core).Leave)
	w.Node(4).Do(func(c *Core, rt swim.Runtime[ID]) error { return c.SetMetadata(1, rt) })
	w.Run(time.Minute)
	w.Node(2).Start(Boot{})
	w.Run(time.Minute)
	r := w.Report()
	b := boundsOf(8, 3, LAN.Config)
	for kind, most := range map[NewsKind]time.Duration{NewsCrash: b.complete(1), NewsLeave: b.reach(), NewsMetadata: b.reach()} {
		all := r.Of(kind)
		if len(all) != 1 || all[0].First < 0 || all[0].Everywhere < all[0].First || all[0].Everywhere > most || all[0].Missing != 0 {
			t.Errorf("%s: %+v, at most %v", kind, all, most)
		}
	}
	if crash := r.Of(NewsCrash)[0]; crash.Node != 2 || crash.Observers != 7 || crash.First < LAN.Config.Period {
		t.Errorf("%+v", crash)
	}
	if first, everywhere := r.Spread(NewsStart); first.Count == 0 || everywhere.Most > b.knows() {
		t.Errorf("%+v %+v", first, everywhere)
	}
	if r.FalseDowns != 0 || r.FalseSuspicions != 0 || r.Downs != 7 || r.Suspicions != 7 {
		t.Errorf("%+v", r)
	}
	if want := 4*60*8 - 60.0*2; r.MemberSeconds != want || r.PacketsPerMemberSecond < 1.5 || r.PacketsPerMemberSecond > 4 {
		t.Errorf("%v member-seconds, not %v; %v packets", r.MemberSeconds, want, r.PacketsPerMemberSecond)
	}
	if again := w.Report(); !reflect.DeepEqual(r, again) {
		t.Error("a report changes by being asked for")
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

// Who does not hear of it in time is missing, and who never could is excused.
func TestReportCountsWhoMissed(t *testing.T) {
	w := New(4, LAN.watched())
	w.Grow(5)
	w.Run(time.Minute)
	w.Node(4).Pause()
	w.Node(1).Crash()
	w.Run(time.Minute)
	w.Node(1).Start(Boot{})
	w.Run(time.Second)
	if crash := w.Report().Of(NewsCrash)[0]; crash.Missing != 1 || crash.Everywhere >= 0 || crash.First < 0 {
		t.Errorf("%+v", crash)
	}
}

func TestQuantilesAreThoseOfTheSample(t *testing.T) {
	var times []time.Duration
	for i := range 200 {
		times = append(times, time.Duration(200-i))
	}
	if got, want := QuantilesOf(times), (Quantiles{200, 100, 180, 198, 200}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := QuantilesOf(nil); got != (Quantiles{}) {
		t.Errorf("%+v", got)
	}
}
