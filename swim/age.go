package swim

import (
	"math"
	"math/rand/v2"
)

// Age moves the counters of the state to near their ends, where those of a
// member are after ages. It is for simulations: a cluster may live for longer
// than any of them. Nothing that it makes is damage. Call it between inputs.
//
// The counters are our incarnation, the number of the next probe if none runs,
// and that of the timer events of suspicions.
func (c *Core[ID, Addr]) Age(rnd *rand.Rand) {
	if c.us.present() && !c.renewal.wanted {
		c.us.inc = max(c.us.inc, c.limits.Incarnation-Incarnation(below(rnd, 3)))
	}
	if !c.probe.running {
		c.probe.number = c.limits.Number - uint32(below(rnd, 3))
	}
	c.doubts.token = math.MaxUint32 - uint32(below(rnd, 3))
}
