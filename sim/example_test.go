package sim_test

import (
	"fmt"
	"time"

	"github.com/selkie-go/selkie/sim"
	"github.com/selkie-go/selkie/swim"
)

// A service is led by the member with the lowest address. Each of its processes
// decides for itself whether it leads, by whom it sees, so during a partition
// two may. How long, is what a test wants to know.
type service struct {
	*sim.World
	rule  func(see []uint32, all int) bool // may the first of those who see each other lead?
	after time.Duration                    // how long it waits before it does
	leads []bool
	since []time.Duration // when it might have begun to wait; -1 if it may not
}

// start starts a process that decides anew whenever its member is told something.
func (s *service) start(all int) {
	n := s.Add()
	s.leads = append(s.leads, false)
	s.since = append(s.since, -1)
	n.OnNotify = func(swim.Notification[sim.ID]) {
		s.After(0, func() { s.decide(n, all) }) // not while the member is busy
	}
	n.Start(sim.Boot{})
}

func (s *service) decide(n *sim.Node, all int) {
	me := n.Number()
	see := []uint32{me}
	lowest := me
	for m := range n.Core().Active() {
		see = append(see, m.ID.Node)
		lowest = min(lowest, m.ID.Node)
	}
	now := s.Now().Sub(0)
	switch may := lowest == me && s.rule(see, all); {
	case !may:
		s.since[me], s.leads[me] = -1, false
	case s.since[me] < 0:
		s.since[me] = now
		s.After(s.after, func() { s.decide(n, all) })
		s.leads[me] = s.after == 0
	default:
		s.leads[me] = now >= s.since[me]+s.after
	}
}

// quarrel returns for how long there were two leaders while two of five members
// were cut off for two minutes.
func (s *service) quarrel() (two time.Duration) {
	s.World = sim.New(1, sim.LAN)
	for range 5 {
		s.start(5)
	}
	s.Run(time.Minute)
	cut := s.Partition(sim.Nodes(0, 1), sim.Nodes(2, 3, 4))
	s.After(2*time.Minute, cut.End)
	const tick = 100 * time.Millisecond
	for range 5 * time.Minute / tick {
		s.Run(tick)
		leaders := 0
		for _, leads := range s.leads {
			if leads {
				leaders++
			}
		}
		if leaders > 1 {
			two += tick
		}
	}
	return two.Round(time.Second)
}

// How a service reacts to a partition, tested together with the partition. Here
// it is led by the member with the lowest address, and the question is for how
// long two lead.
func Example() {
	anybody := func(see []uint32, all int) bool { return true }
	majority := func(see []uint32, all int) bool { return len(see) > all/2 }
	lowest := service{rule: anybody}
	fmt.Println("the lowest leads:                    two leaders for", lowest.quarrel())
	most := service{rule: majority}
	fmt.Println("the lowest of a majority leads:      two leaders for", most.quarrel())
	patient := service{rule: majority, after: 20 * time.Second}
	fmt.Println("the lowest of a majority, after 20s: two leaders for", patient.quarrel())
	// Output:
	// the lowest leads:                    two leaders for 1m52s
	// the lowest of a majority leads:      two leaders for 17s
	// the lowest of a majority, after 20s: two leaders for 0s
}

// A network that loses one packet in five, for ten minutes: what did the members
// believe of each other that was not so?
func ExampleWorld_Impair() {
	profile := sim.LAN
	profile.Config.Notify.Suspect = true // a report knows what owners are told
	w := sim.New(1, profile)
	w.Grow(16)
	w.Run(time.Minute)
	loss := w.Impair("loss", nil, nil, sim.Link{Loss: 0.2})
	w.Run(10 * time.Minute)
	loss.End()
	report := w.Report()
	fmt.Println("doubted wrongly:  ", report.FalseSuspicions > 0)
	fmt.Println("told down wrongly:", report.FalseDowns)
	fmt.Println("promises broken:  ", len(w.Violations))
	// Output:
	// doubted wrongly:   true
	// told down wrongly: 0
	// promises broken:   0
}

// A process ends without a word. How long until the others know?
func ExampleNode_Crash() {
	w := sim.New(1, sim.LAN)
	w.Grow(32)
	w.Run(time.Minute)
	w.Node(3).Crash()
	w.Run(time.Minute)
	report := w.Report()
	for _, news := range report.Of(sim.NewsCrash) {
		fmt.Println("others:             ", news.Observers)
		fmt.Println("the first knew after", news.First.Round(time.Second))
		fmt.Println("the last knew after ", news.Everywhere.Round(time.Second))
	}
	// Output:
	// others:              31
	// the first knew after 7s
	// the last knew after  8s
}
