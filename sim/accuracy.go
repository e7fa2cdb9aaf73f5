package sim

import (
	"math"
	"time"
)

// A Condition is something that a cluster lives with all the time, under which
// L11 counts how often a member is wrongly held down.
type Condition struct {
	Name string `json:"name"`
	// Link applies to all paths.
	Link Link `json:"link,omitzero"`
	// Slow is how long one of the nodes takes for each input.
	Slow time.Duration `json:"slow,omitempty"`
}

// Conditions are those that are reported with every release: 1 to 30 % of loss,
// loss in bursts, and one slow observer, which is the scenario of Lifeguard.
func Conditions() []Condition {
	return []Condition{
		{Name: "loss 1 %", Link: Link{Loss: 0.01}},
		{Name: "loss 5 %", Link: Link{Loss: 0.05}},
		{Name: "loss 20 %", Link: Link{Loss: 0.2}},
		{Name: "loss 30 %", Link: Link{Loss: 0.3}},
		{Name: "bursts", Link: Link{Burst: Burst{Begin: 0.01, End: 0.1, Loss: 0.8}}},
		{Name: "slow observer", Slow: 200 * time.Millisecond},
	}
}

// An Accuracy is how often members were wrongly held down under a condition:
// while they ran as that very identity, with a path to whoever held them so.
type Accuracy struct {
	Condition  string  `json:"condition"`
	NodeHours  float64 `json:"nodeHours"`
	FalseDowns int     `json:"falseDowns"`
	// PerNodeHour is FalseDowns by NodeHours, Upper its 95 % upper bound: if
	// they come independently of each other, the true rate is above it in one
	// of twenty measurements.
	PerNodeHour float64 `json:"perNodeHour"`
	Upper       float64 `json:"upper"`
}

// Measure lets a cluster live under the condition for a time, and adds what it
// saw to earlier measurements. Different seeds are independent of each other.
func (c Condition) Measure(seed uint64, profile Profile, nodes int, d time.Duration, sum *Accuracy) {
	w := New(seed, profile.watched())
	w.Watch = false // it is the rate that counts here, not the promises
	w.Grow(nodes)
	w.Run(time.Minute)
	before := w.Report()
	w.Impair("condition", nil, nil, c.Link)
	if c.Slow > 0 && nodes > 0 {
		w.Node(uint32(nodes - 1)).Cost = c.Slow
	}
	w.Run(d)
	sum.Condition = c.Name
	sum.FalseDowns += w.Report().FalseDowns - before.FalseDowns
	sum.NodeHours += float64(nodes) * d.Hours()
	if sum.NodeHours > 0 {
		sum.PerNodeHour = float64(sum.FalseDowns) / sum.NodeHours
		sum.Upper = poissonUpper(sum.FalseDowns) / sum.NodeHours
	}
}

// poissonUpper returns the mean at which so few events or fewer are seen once in
// twenty times.
func poissonUpper(events int) float64 {
	low, high := float64(events), float64(events)+5*math.Sqrt(float64(events)+1)+5
	for range 60 {
		middle := (low + high) / 2
		if atMost(events, middle) > 0.05 {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// atMost is the probability of so many events or fewer around a mean.
func atMost(events int, mean float64) float64 {
	sum := 0.0
	for k := range events + 1 {
		factorial, _ := math.Lgamma(float64(k) + 1)
		sum += math.Exp(float64(k)*math.Log(mean) - mean - factorial)
	}
	return sum
}
