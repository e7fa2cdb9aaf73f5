package swim

import "time"

// A member that misses acks from everyone is more likely slow itself than
// surrounded by corpses. A health is that doubt as a number, 0 for none: while
// it is not, our probes wait longer and come less often.
//
// "Local Health Multiplier (LHM)": Lifeguard, section IV-A. What raises and
// lowers it:
//
//	-1 a probe was answered, by whatever way
//	+1 for each helper of a failed probe of whom neither ack nor nack came, or
//	   once if nobody could be asked, or was asked for nacks: with all nacks
//	   there it is the target that is silent
//	+1 we had to refute a suspicion, or were declared down
//	+1 this process stood still
//
// Departure: a helper that sent nothing costs one each, as in the
// implementation that the paper measured, not one for all of them.
type health struct {
	doubt int // from 0 to Config.MaxHealth
}

// worse adds to the doubt, or, with a negative number, takes from it.
func (h *health) worse(by, most int) {
	most = max(most, 0)
	h.doubt = min(max(min(h.doubt, most)+by, 0), most)
}

// doubtOurselves notes a reason to doubt ourselves more, or less.
func (c *Core[ID, Addr]) doubtOurselves(by int) {
	if by < 0 && planted == neverRecover {
		return
	}
	c.health.worse(by, c.cfg.MaxHealth)
}

// stretched is how long something may take that takes d as long as we are well.
func (c *Core[ID, Addr]) stretched(d time.Duration) time.Duration {
	if planted == ignoreHealth {
		return d
	}
	return multiple(d, 1+min(max(c.health.doubt, 0), max(c.cfg.MaxHealth, 0)))
}
