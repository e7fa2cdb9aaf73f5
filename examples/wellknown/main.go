// Wellknown shows how a cluster finds itself: every member has the same short
// list of well-known addresses. Run it: go run ./examples/wellknown
//
// Nobody on the list is special. It need not be there when the others start,
// it may die, and it may be the reason that two halves of a cluster find each
// other again long after both forgot the other: whoever is on the list and not
// an active member is asked, for as long as we live.
package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// wellKnown is what every process is configured with.
var wellKnown = []string{"10.0.0.1:7946", "10.0.0.2:7946"}

func main() {
	w := &world{now: swim.Instant(time.Second)}

	fmt.Println("Two start, and none of the well-known is there.")
	w.start("10.0.0.8:7946", askForEver)
	w.start("10.0.0.9:7946", askForEver)
	w.run(10 * time.Minute)
	w.show()

	fmt.Println("One of them comes.")
	w.start("10.0.0.1:7946", askForEver)
	w.run(2 * time.Minute)
	w.show()

	fmt.Println("So does the other one, and the network falls apart for 26 hours.")
	w.start("10.0.0.2:7946", askForEver)
	w.run(2 * time.Minute)
	w.apart = func(a, b string) bool { return inLeft(a) != inLeft(b) }
	w.run(26 * time.Hour) // Both sides forget the other after 24.
	w.show()

	fmt.Println("It is whole again.")
	w.apart = nil
	w.run(3 * time.Minute)
	w.show()

	fmt.Println("One more applies the list as members that are down.")
	w.start("10.0.0.7:7946", applyAsDown)
	w.run(time.Minute)
	w.show()
}

// askForEver makes the addresses seeds. A seed is an address and no member:
// the generation 0 means nobody, and who answers there says who it is. Our own
// address may be among them.
func askForEver(p *process) {
	var seeds []swim.ID
	for _, at := range wellKnown {
		seeds = append(seeds, identity(at, 0))
	}
	if err := p.core.SetSeeds(seeds, p.out); err != nil {
		panic(err) // the list is short
	}
}

// applyAsDown does the same with what every core does anyway: members that are
// down are contacted. Generation 0 is superseded by every life that ever began,
// so whoever answers replaces the record. Such a list needs no other input than
// the one that restores a saved membership; but it is forgotten like all who
// are down, after Config.ForgetAfter.
func applyAsDown(p *process) {
	records := func(yield func(swim.Update[swim.ID]) bool) {
		for _, at := range wellKnown {
			down := swim.Member[swim.ID]{ID: identity(at, 0), State: swim.Down}
			if !yield(swim.Update[swim.ID]{Member: down}) {
				return
			}
		}
	}
	const tell = false // that nobody was there yet is no news
	if err := p.core.Apply(records, tell, p.out); err != nil {
		panic(err)
	}
}

func inLeft(at string) bool { return at == "10.0.0.1:7946" || at == "10.0.0.8:7946" }

func identity(at string, generation uint64) swim.ID {
	id, err := swim.NewID(netip.MustParseAddrPort(at), generation)
	if err != nil {
		panic(err) // the addresses are written above
	}
	return id
}

// A world is some processes in one network under one clock.
type world struct {
	now       swim.Instant
	processes []*process
	apart     func(a, b string) bool // whether the network between them is cut
}

type process struct {
	at   string
	core *swim.Core[swim.ID, swim.Addr]
	out  *swim.Outbox[swim.ID]
}

// start begins a process, whose generation is the time.
func (w *world) start(at string, bootstrap func(*process)) {
	self := identity(at, uint64(time.Duration(w.now).Milliseconds()))
	rnd := rand.New(rand.NewPCG(uint64(len(w.processes)), 2))
	core, err := swim.New(self, swim.LAN(4), swim.Compact(), rnd)
	if err != nil {
		panic(err) // the configuration is fixed
	}
	p := &process{at: at, core: core, out: swim.NewOutbox[swim.ID](func() swim.Instant { return w.now })}
	w.processes = append(w.processes, p)
	bootstrap(p)
}

// run lets time pass, from one event to the next.
func (w *world) run(d time.Duration) {
	for end := w.now.Add(d); ; {
		for w.carry() {
		}
		wake := swim.Never
		for _, p := range w.processes {
			wake = min(wake, p.out.Wake())
		}
		if w.now = w.now.Add(wake); w.now > end {
			w.now = end
			return
		}
		for _, p := range w.processes {
			for event := range p.out.Due() {
				p.core.HandleTimer(event, p.out)
			}
		}
	}
}

// carry delivers the packets that wait, and reports whether there were any.
func (w *world) carry() (any bool) {
	for _, p := range w.processes {
		for _, packet := range p.out.Packets {
			any = true
			for _, to := range w.processes {
				cut := w.apart != nil && w.apart(p.at, to.at)
				if to.core.Self().ID.Addr() == packet.To.Addr() && !cut {
					to.core.HandleData(packet.Data, to.out)
				}
			}
		}
		p.out.Reset()
	}
	return any
}

// show prints whom each process knows as active, and how many it remembers
// besides.
func (w *world) show() {
	for _, p := range w.processes {
		var active []string
		for m := range p.core.Active() {
			active = append(active, m.ID.Addr().String())
		}
		slices.Sort(active)
		line := strings.Join(active, ", ")
		if line == "" {
			line = fmt.Sprintf("nobody, having asked %d times", p.core.Stats().Sent[swim.MessageAnnounce])
		}
		if s := p.core.Stats(); s.Down+s.Lone > 0 {
			line += fmt.Sprintf(" (and %d who are down)", s.Down+s.Lone)
		}
		fmt.Printf("  %s knows %s\n", p.at, line)
	}
}
