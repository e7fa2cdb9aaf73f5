// Identity is an essay about names, to be read from top to bottom and to be
// run: go run ./examples/identity
//
// A cluster has to call its members something. The obvious name is the address
// that packets go to. This program shows where that ends, and what a better
// name takes.
package main

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/selkie-go/selkie/swim"
)

func main() {
	anAddressAlone()
	aGeneration()
	small()
	facts()
}

// # 1. An address alone
//
// A host is an address and nothing else. It is as good as it can be: no host
// supersedes another one, and after being declared down there is no other name
// to go on with.

type host string

func (h host) Addr() host               { return h }
func (h host) Supersedes(host) bool     { return false }
func (h host) Renew() (host, bool)      { return h, false }
func writeHost(b []byte, h host) []byte { return append(append(b, byte(len(h))), h...) }

func readHost(data []byte) (h host, n int, err error) {
	if len(data) == 0 || int(data[0]) >= len(data) {
		return "", 0, errShort
	}
	n = 1 + int(data[0])
	return host(data[1:n]), n, nil
}

var errShort = errors.New("too short for an identity")

// Three hosts know each other. One crashes, and the others declare it down:
// two accusers agree, so the verdict is final for that identity. When the
// process comes back, it has the identity of a dead member. Nobody can tell
// what it says from what it said before it died, which may have been under way
// all the time. So it is told that it is down; it has no other name; the end.
func anAddressAlone() {
	fmt.Println("An address alone")
	w := newWorld(swim.Plain(writeHost, readHost, 16))
	w.start("a", "a")
	w.start("b", "a")
	w.start("c", "a")
	w.run(5 * time.Second)
	w.crash("b")
	w.run(time.Minute)
	w.start("b", "a")
	w.run(time.Minute)
	w.showMembers("a")
}

// # 2. A generation
//
// What is missing is which life of b is talking. A life is an address and the
// number of the life. Of two lives at one address the later one wins, whatever
// is said about the earlier one; and one that was declared down by mistake
// simply begins the next.
//
// Where the number comes from is up to the process. It only has to be higher
// than before: a counter on disk will do, or the time of the start, which is
// what the ready-made swim.ID takes.

type life struct {
	host       host
	generation int
}

func (l life) Addr() host                 { return l.host }
func (l life) Supersedes(older life) bool { return l.generation > older.generation }
func (l life) Renew() (life, bool)        { return life{l.host, l.generation + 1}, true }
func (l life) String() string             { return fmt.Sprintf("%s#%d", l.host, l.generation) }

func writeLife(b []byte, l life) []byte {
	return binary.AppendUvarint(writeHost(b, l.host), uint64(l.generation))
}

func readLife(data []byte) (l life, n int, err error) {
	h, n, err := readHost(data)
	if err != nil {
		return life{}, 0, err
	}
	generation, more := binary.Uvarint(data[n:])
	if more <= 0 || generation > 1<<32 {
		return life{}, 0, errShort
	}
	return life{h, int(generation)}, n + more, nil
}

// The same crash; and then a cable that is pulled, so that b is alive and well
// all the time, and is declared down all the same. Both times it comes back by
// itself: the first time because the process starts as b#2, the second time
// because b#2 is told that it is down, and renews itself to b#3.
func aGeneration() {
	fmt.Println("\nA generation")
	w := newWorld(swim.Plain(writeLife, readLife, 24))
	a, b, c := life{"a", 1}, life{"b", 1}, life{"c", 1}
	w.start(a, a)
	w.start(b, a)
	w.start(c, a)
	w.run(5 * time.Second)
	w.crash(b)
	w.run(time.Minute)
	again := life{"b", 2}
	w.start(again, a)
	w.run(5 * time.Second)
	w.cut(again, true)
	w.run(time.Minute)
	w.cut(again, false)
	w.run(2 * time.Minute)
	w.showMembers(a)
}

// # 3. Small
//
// An identity is in every packet twice, and in every update. On the wire it
// should not say what everybody knows. If a cluster has one port, an IPv4
// address of four bytes and two bytes for 65,536 lives are enough.
//
// This is the form for a machine: no pointer, quick to compare and to hash.
// What it is to be in bytes is said by two short functions, and swim.Plain
// makes a codec of whole packets out of them.

type compact struct {
	ip         [4]byte
	generation uint16
}

func (c compact) Addr() [4]byte                 { return c.ip }
func (c compact) Supersedes(older compact) bool { return c.generation > older.generation }
func (c compact) String() string {
	return fmt.Sprintf("%v#%d", netip.AddrFrom4(c.ip), c.generation)
}

// Renew ends with the last life that the two bytes can say. To wrap around
// would make the first life supersede the last one and be superseded by it.
func (c compact) Renew() (compact, bool) {
	next := compact{c.ip, c.generation + 1}
	return next, next.generation != 0
}

func writeCompact(b []byte, c compact) []byte {
	return binary.BigEndian.AppendUint16(append(b, c.ip[:]...), c.generation)
}

func readCompact(data []byte) (c compact, n int, err error) {
	if len(data) < 6 {
		return compact{}, 0, errShort
	}
	return compact{[4]byte(data), binary.BigEndian.Uint16(data[4:])}, 6, nil
}

func small() {
	fmt.Println("\nSmall")
	codec := swim.Plain(writeCompact, readCompact, 6)
	from, to := compact{[4]byte{10, 0, 0, 1}, 1}, compact{[4]byte{10, 0, 0, 2}, 7}
	ping := swim.Packet[compact]{Header: swim.Header[compact]{Src: from, Dst: to, Message: swim.MessagePing, Number: 1}}
	fmt.Printf("  %v takes %d bytes, a ping %d\n", to, len(codec.AppendID(nil, to)), packetSize(codec, ping))
	for i := range 200 {
		ping.Updates = append(ping.Updates, swim.Update[compact]{Member: swim.Member[compact]{ID: compact{[4]byte{10, 0, 1, byte(i)}, 1}}})
	}
	size := packetSize(codec, ping)
	told := 0
	for _, u := range ping.Updates {
		if u.Sent {
			told++
		}
	}
	fmt.Printf("  a ping with news about %d members takes %d bytes\n", told, size)
}

// packetSize returns the bytes of a packet of at most 1,400.
func packetSize[ID any](codec swim.Codec[ID], p swim.Packet[ID]) int {
	data, err := codec.Append(nil, 1400, &p)
	if err != nil {
		panic(err) // nothing here can be too big
	}
	return len(data)
}

// # 4. Facts
//
// What is in the identity is known wherever the member is known, from the
// first moment on, and is never half changed: a good place for the few facts
// about a member by which others choose, such as its zone and its role. Two
// bytes more make eight.
//
// There are two rules. Facts belong to a life: a member whose role changes
// begins the next one, which the others see as a rename and not as a death.
// And of two *different* identities at one address exactly one must supersede
// the other, so Supersedes has to look at all that makes them differ; here that
// can only happen if somebody uses one generation twice.

type server struct {
	compact
	zone, role byte
}

func (s server) Supersedes(older server) bool {
	return cmp.Or(
		cmp.Compare(s.generation, older.generation),
		cmp.Compare(s.zone, older.zone),
		cmp.Compare(s.role, older.role),
	) > 0
}

func (s server) Renew() (server, bool) {
	next, ok := s.compact.Renew()
	s.compact = next
	return s, ok
}

func (s server) String() string {
	return fmt.Sprintf("%v(zone %d, %c)", s.compact, s.zone, s.role)
}

func writeServer(b []byte, s server) []byte {
	return append(writeCompact(b, s.compact), s.zone, s.role)
}

func readServer(data []byte) (s server, n int, err error) {
	if len(data) < 8 {
		return server{}, 0, errShort
	}
	s.compact, _, _ = readCompact(data)
	s.zone, s.role = data[6], data[7]
	return s, 8, nil
}

// Of four servers, two are in zone 2. The one that only reads there is made to
// write, and everybody knows at once whom to ask.
func facts() {
	fmt.Println("\nFacts")
	w := newWorld(swim.Plain(writeServer, readServer, 8))
	at := func(last, zone, role byte) server {
		return server{compact{[4]byte{10, 0, 0, last}, 1}, zone, role}
	}
	first, reader := at(1, 1, 'w'), at(4, 2, 'r')
	for _, s := range []server{first, at(2, 1, 'r'), at(3, 2, 'r'), reader} {
		w.start(s, first)
	}
	w.run(5 * time.Second)
	writer := reader
	writer.generation++
	writer.role = 'w'
	w.change(reader, writer)
	w.run(5 * time.Second)
	for m := range w.find(first).core.Active() {
		if m.ID.zone == 2 && m.ID.role == 'w' {
			fmt.Printf("  who writes in zone 2: %v\n", m.ID)
		}
	}
}

// # The stage
//
// A world is some cores under one clock, in one goroutine. The network takes
// no time and loses nothing, but for those who are cut off.

type world[ID swim.Identity[ID, Addr], Addr comparable] struct {
	now       swim.Instant
	codec     swim.Codec[ID]
	processes []*process[ID, Addr]
}

type process[ID swim.Identity[ID, Addr], Addr comparable] struct {
	core *swim.Core[ID, Addr]
	out  *swim.Outbox[ID]
	cut  bool // neither hears nor is heard
}

func newWorld[ID swim.Identity[ID, Addr], Addr comparable](codec swim.Codec[ID]) *world[ID, Addr] {
	return &world[ID, Addr]{now: swim.Instant(time.Second), codec: codec}
}

// start begins a process that asks another one to join.
func (w *world[ID, Addr]) start(self, seed ID) {
	rnd := rand.New(rand.NewPCG(uint64(len(w.processes)), 1))
	core, err := swim.New(self, swim.LAN(3), w.codec, rnd)
	if err != nil {
		panic(err) // the configuration is fixed
	}
	p := &process[ID, Addr]{core: core, out: swim.NewOutbox[ID](func() swim.Instant { return w.now })}
	w.processes = append(w.processes, p)
	if self.Addr() != seed.Addr() {
		core.Announce(seed, p.out)
	}
}

func (w *world[ID, Addr]) find(id ID) *process[ID, Addr] {
	for _, p := range w.processes {
		if p.core.Self().ID.Addr() == id.Addr() {
			return p
		}
	}
	panic(fmt.Sprintf("nobody is at the address of %v", id))
}

// crash ends a process without a word.
func (w *world[ID, Addr]) crash(id ID) {
	fmt.Printf("  %v crashes\n", id)
	w.processes = slices.DeleteFunc(w.processes, func(p *process[ID, Addr]) bool {
		return p.core.Self().ID == id
	})
}

func (w *world[ID, Addr]) cut(id ID, off bool) {
	fmt.Printf("  the cable of %v is %s\n", id, map[bool]string{true: "pulled", false: "back"}[off])
	w.find(id).cut = off
}

// change makes a process go on as somebody else.
func (w *world[ID, Addr]) change(old, next ID) {
	p := w.find(old)
	if err := p.core.ChangeIdentity(next, p.out); err != nil {
		panic(err) // next supersedes old
	}
}

// run lets time pass, from one event to the next.
func (w *world[ID, Addr]) run(d time.Duration) {
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

// carry carries out what the cores asked for, and reports whether that was
// anything.
func (w *world[ID, Addr]) carry() (any bool) {
	for _, p := range w.processes {
		for _, n := range p.out.Notifications {
			w.print(p.core.Self().ID, n)
		}
		for _, packet := range p.out.Packets {
			any = true
			for _, to := range w.processes {
				if to.core.Self().ID.Addr() == packet.To.Addr() && !p.cut && !to.cut {
					to.core.HandleData(packet.Data, to.out)
				}
			}
		}
		p.out.Reset()
	}
	return any
}

// print prints what happens to the last of those who were there from the
// beginning, as the first one sees it and as it says itself.
func (w *world[ID, Addr]) print(by ID, n swim.Notification[ID]) {
	observer := by == w.processes[0].core.Self().ID
	switch n.Kind {
	case swim.NotifyUp, swim.NotifyDown:
		if observer {
			fmt.Printf("  %v: %v is %v\n", by, n.Member.ID, map[bool]string{true: "up", false: n.Member.State.String()}[n.Kind == swim.NotifyUp])
		}
	case swim.NotifyRename:
		if observer {
			fmt.Printf("  %v: %v is now %v\n", by, n.Old, n.Member.ID)
		}
	case swim.NotifyRejoin:
		fmt.Printf("  %v: I was declared down, and go on as %v\n", n.Old, n.Member.ID)
	case swim.NotifyDefunct:
		fmt.Printf("  %v: I was declared down, and have no other name\n", by)
	}
}

// showMembers prints who takes part, as one process sees it.
func (w *world[ID, Addr]) showMembers(at ID) {
	var members []string
	for m := range w.find(at).core.Active() {
		members = append(members, fmt.Sprint(m.ID))
	}
	slices.Sort(members)
	fmt.Printf("  %v knows: %s\n", at, strings.Join(members, ", "))
}
