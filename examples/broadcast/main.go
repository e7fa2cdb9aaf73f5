// Broadcast is a tiny replicated set: five members, each of which may add and
// remove words, and all of which end with the same set. Run it:
// go run ./examples/broadcast
//
// What changes travels as payloads beside the updates of the protocol, until
// everybody has it. A payload of a word replaces the one of the same word that
// is still being told, so a word that changes a hundred times a second costs no
// more than one that changes once.
package main

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/selkie-go/selkie/swim"
)

func main() {
	w := newWorld(5)
	w.run(5 * time.Second)

	fmt.Println("Three members add a word each.")
	w.replicas[0].add("seal")
	w.replicas[1].add("otter")
	w.replicas[2].add("walrus")
	w.run(5 * time.Second)
	w.show()

	fmt.Println("One word changes a hundred times. One payload is told, the latest.")
	r := w.replicas[3]
	for range 50 {
		r.remove("otter")
		r.add("otter")
	}
	r.remove("otter")
	fmt.Printf("  waiting to be told: %d\n", r.core.Stats().Broadcasts)
	w.run(5 * time.Second)
	w.show()

	fmt.Println("Two members disagree at the same moment. All choose the same.")
	w.replicas[0].add("seal")
	w.replicas[4].remove("seal")
	w.replicas[2].add("whale")
	w.run(5 * time.Second)
	w.show()

	fmt.Println("One who comes late is told by those who wrote.")
	w.start()
	w.run(10 * time.Second)
	w.show()
}

// An entry is what is known about one word: whether it is in the set, and how
// new that is. One that was removed stays, or an old "add" would bring it back.
type entry struct {
	in      bool
	version version
	ours    bool // we wrote it
}

// A version orders what is said about one word: first the count of the write,
// then who wrote, because two members that write at the same moment must not
// share a version, or they would never agree. Last comes how often it was told
// again, which makes it worth telling on without changing which write wins.
type version uint64

const (
	countShift  = 24
	writerShift = 16
	againMask   = 1<<writerShift - 1
)

// A replica is one member and its copy of the set. It is the core's
// BroadcastHandler.
type replica struct {
	number version
	core   *swim.Core[swim.ID, swim.Addr]
	out    *swim.Outbox[swim.ID]
	words  map[string]entry
	count  version // the largest of a write seen so far
}

func (r *replica) add(word string)    { r.write(word, true) }
func (r *replica) remove(word string) { r.write(word, false) }

// write says something that is later than all that we know of.
func (r *replica) write(word string, in bool) {
	r.count++
	r.tell(word, entry{in: in, version: r.count<<countShift | r.number<<writerShift, ours: true})
}

// tell queues what we say about a word for everybody.
func (r *replica) tell(word string, e entry) {
	r.words[word] = e
	if _, err := r.core.AddBroadcast(payload(word, e), r.out); err != nil {
		panic(err) // a word fits into a packet, and few are told at a time
	}
}

// payload is an entry as it travels: the version, then whether the word is in
// the set, then the word.
func payload(word string, e entry) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(e.version))
	if e.in {
		b = append(b, '+')
	} else {
		b = append(b, '-')
	}
	return append(b, word...)
}

// Receive implements swim.BroadcastHandler. It is called for what others wrote
// and for what we are about to tell. Only what is new to us is told on: so
// everything is told by everybody once, and then the cluster is quiet.
func (r *replica) Receive(item []byte, from swim.ID) (swim.Key, bool, error) {
	if len(item) < 10 || item[8] != '+' && item[8] != '-' {
		return swim.Key{}, false, fmt.Errorf("%d bytes from %v are no entry", len(item), from)
	}
	word := string(item[9:])
	e := entry{in: item[8] == '+', version: version(binary.BigEndian.Uint64(item))}
	key := swim.Key{Name: word, Version: uint64(e.version)}
	if from == r.core.Self().ID {
		return key, true, nil // tell has kept it already
	}
	if e.version <= r.words[word].version {
		return key, false, nil
	}
	r.words[word] = e
	r.count = max(r.count, e.version>>countShift)
	return key, true, nil
}

// Wants implements swim.BroadcastHandler: everybody gets everything.
func (r *replica) Wants(swim.Member[swim.ID]) bool { return true }

// notice tells again what we wrote, for the sake of a member that came up. A
// payload reaches those who are there; the protocol keeps none for those who
// come later.
func (r *replica) notice(n swim.Notification[swim.ID]) {
	if n.Kind != swim.NotifyUp {
		return
	}
	for _, word := range slices.Sorted(maps.Keys(r.words)) {
		if e := r.words[word]; e.ours && e.version&againMask < againMask {
			e.version++
			r.tell(word, e)
		}
	}
}

// A world is some replicas in one network under one clock.
type world struct {
	now      swim.Instant
	replicas []*replica
}

func newWorld(n int) *world {
	w := &world{now: swim.Instant(time.Second)}
	for range n {
		w.start()
	}
	return w
}

// start begins a replica, which asks the first one to join.
func (w *world) start() {
	number := version(len(w.replicas) + 1)
	r := &replica{
		number: number,
		out:    swim.NewOutbox[swim.ID](func() swim.Instant { return w.now }),
		words:  make(map[string]entry),
	}
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(number)}), 7946)
	self, err := swim.NewID(at, 1)
	if err != nil {
		panic(err) // the address is good
	}
	rnd := rand.New(rand.NewPCG(uint64(number), 3))
	r.core, err = swim.NewWithHandler(self, swim.LAN(5), swim.Compact(), rnd, swim.BroadcastHandler[swim.ID](r))
	if err != nil {
		panic(err) // the configuration is fixed
	}
	w.replicas = append(w.replicas, r)
	if first := w.replicas[0]; first != r {
		r.core.Announce(first.core.Self().ID, r.out)
	}
}

// run lets time pass, from one event to the next.
func (w *world) run(d time.Duration) {
	for end := w.now.Add(d); ; {
		for w.carry() {
		}
		wake := swim.Never
		for _, r := range w.replicas {
			wake = min(wake, r.out.Wake())
		}
		if w.now = w.now.Add(wake); w.now > end {
			w.now = end
			return
		}
		for _, r := range w.replicas {
			for event := range r.out.Due() {
				r.core.HandleTimer(event, r.out)
			}
		}
	}
}

// carry carries out what the cores asked for, and reports whether that was
// anything.
func (w *world) carry() (any bool) {
	for _, r := range w.replicas {
		for _, packet := range r.out.Packets {
			any = true
			for _, to := range w.replicas {
				if to.core.Self().ID.Addr() == packet.To.Addr() {
					to.core.HandleData(packet.Data, to.out)
				}
			}
		}
		happened := slices.Clone(r.out.Notifications)
		r.out.Reset()
		for _, n := range happened {
			r.notice(n)
		}
	}
	return any
}

// show prints the sets, once if all are equal.
func (w *world) show() {
	var sets []string
	for _, r := range w.replicas {
		var words []string
		for _, word := range slices.Sorted(maps.Keys(r.words)) {
			if r.words[word].in {
				words = append(words, word)
			}
		}
		sets = append(sets, strings.Join(words, " "))
	}
	if len(slices.Compact(slices.Clone(sets))) == 1 {
		fmt.Printf("  all %d have: %s\n", len(sets), sets[0])
		return
	}
	for i, set := range sets {
		fmt.Printf("  %d has: %s\n", i+1, set)
	}
}
