package swim

import (
	"math/bits"
	"time"
)

// A patience is how long one suspect may refute. The time starts at most and
// shrinks towards least as other members independently confirm the suspicion:
// an accuser whom nobody confirms is likely to be the one in trouble.
//
// Lifeguard, section IV-B.
type patience struct {
	since Instant       // when the time to refute began
	least time.Duration // Min, with enough confirmations
	most  time.Duration // Max, with none
	lag   time.Duration // how much longer it is if we only heard of the suspicion
	// enough is how many confirmations leave the least time: K, or as many as
	// there are members who could confirm.
	enough uint8
}

// confirmationLogs are log10(C+1) in units of 1/logUnit.
var confirmationLogs = [MaxAccusers]uint64{0, 19728, 31269, 39457}

// wait returns how long the suspect may refute after that many confirmations.
//
//	max(Min, Max - (Max - Min) · log(C+1) / log(K+1))
func (p *patience) wait(confirmed int) time.Duration {
	enough := min(int(p.enough), MaxAccusers-1)
	if confirmed >= enough || p.most <= p.least {
		return p.least + p.lag
	}
	hi, lo := bits.Mul64(uint64(p.most-p.least), confirmationLogs[max(confirmed, 0)])
	less, _ := bits.Div64(hi, lo, confirmationLogs[enough])
	return p.most - time.Duration(less) + p.lag
}

// deadline is when the verdict falls after that many confirmations.
func (p *patience) deadline(confirmed int) Instant { return p.since.Add(p.wait(confirmed)) }

// patience returns how long a suspect among so many others may refute, if its
// time begins now.
func (c *Core[ID, Addr]) patience(others int) patience {
	least := c.size().suspicion
	return patience{since: c.now, least: least, most: multiple(least, c.cfg.MaxSuspicion), enough: uint8(c.enough(others))}
}

// enough is how many confirmations a suspicion waits for, with so many members
// who could confirm it. In a cluster of two there is nobody, and waiting longer
// would bring nothing.
func (c *Core[ID, Addr]) enough(others int) int {
	return max(0, min(c.cfg.Confirmations, others))
}
