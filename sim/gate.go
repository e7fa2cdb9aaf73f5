package sim

import (
	"fmt"
	"time"
)

// activity is what a run has to have at least, to have tested anything.
type activity struct {
	probes, updates, ups uint64
}

// invalid says why a run tested nothing, or is empty. A run that goes wrong all
// the way is a run; one in which nobody met, or hardly anybody probed, is none,
// and passing it says nothing.
func (o *oracle) invalid(faults int) string {
	w, a := o.w, &o.asked
	switch {
	case !w.Watch || len(w.nodes) < 2:
		return "" // one node alone has nobody to probe, and nothing to tell
	case a.ups == 0:
		return "no node ever saw another"
	case a.probes < o.leastProbes():
		return fmt.Sprintf("%d probes, at least %d expected", a.probes, o.leastProbes())
	case faults > 0 && a.updates == 0:
		return "things went wrong, and nobody told anybody"
	}
	return ""
}

// leastProbes is a hundredth of the probes of a cluster that is well.
func (o *oracle) leastProbes() uint64 {
	w := o.w
	period := w.profile.Config.WithDefaults().Period
	rounds := uint64(w.now.Sub(0) / max(period, time.Millisecond))
	return max(1, rounds*uint64(len(w.nodes))/100)
}
