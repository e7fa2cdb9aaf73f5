package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/selkie-go/selkie"
)

// How much of what happened an agent keeps for those who come back.
const (
	maxEvents     = 1024
	maxEventBytes = 16 << 20
)

// An eventLog keeps the latest events of an agent, numbered, and what they add
// up to. One goroutine watches the node for all who want to know; those who
// read are never waited for.
type eventLog struct {
	process string        // tells the numbers of this process from those of others
	begun   chan struct{} // closed when there is a first view of the members
	ended   chan struct{} // closed when there will be no more events

	mu        sync.Mutex
	ring      [maxEvents]happened
	first     uint64 // number of the earliest event that is kept
	next      uint64 // number that the next event gets
	bytes     int    // of all that are kept
	more      chan struct{}
	members   map[string]memberInfo // by address
	moves     map[move]uint64
	suspected uint64
	listeners []func(happened)
}

// A happened is an event as it is passed on. It does not change.
type happened struct {
	kind, addr, name string
	data             []byte // in JSON
}

// A move is a change of the state of a member. From nothing is "none".
type move struct{ from, to string }

func newEventLog() *eventLog {
	return &eventLog{
		process: rand.Text()[:12],
		begun:   make(chan struct{}),
		ended:   make(chan struct{}),
		members: make(map[string]memberInfo),
		moves:   make(map[move]uint64),
	}
}

// listen has f called for every event from now on. It must not wait for
// anybody.
func (l *eventLog) listen(f func(happened)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listeners = append(l.listeners, f)
}

// follow notes what happens at a node until that is closed.
func (l *eventLog) follow(node *selkie.Node, log *slog.Logger) {
	defer close(l.ended)
	first := true
	for e := range node.Watch(context.Background()) {
		if e.Kind != selkie.EventSnapshot {
			l.note(describeEvent(e))
			continue
		}
		l.begin(e.Members)
		if first {
			close(l.begun)
			first = false
		} else {
			log.Warn("events were lost: the agent was too slow")
		}
	}
}

// begin takes a view that what was noted before does not lead to.
func (l *eventLog) begin(members []selkie.Member) {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.members)
	for _, m := range members {
		l.members[m.Addr().String()] = describe(m)
	}
	for l.first < l.next {
		l.drop()
	}
	l.next++ // nobody is up to date
	l.first = l.next
	l.wake()
}

// note takes an event about a member.
func (l *eventLog) note(e eventInfo) {
	data, err := json.Marshal(e)
	if err != nil {
		panic(err) // it has only fields that can be written
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !e.Self {
		from := "none"
		if before, ok := l.members[e.Addr]; ok {
			from = before.State
		}
		if from != e.State {
			l.moves[move{from, e.State}]++
		}
		if e.Kind == selkie.EventSuspect.String() {
			l.suspected++
		}
		l.members[e.Addr] = e.member()
	}
	l.append(happened{e.Kind, e.Addr, e.Name, data})
}

// deliver takes a payload that another member sent.
func (l *eventLog) deliver(kind string, from selkie.ID, key string, payload []byte) {
	at := from.Addr().String()
	e := eventInfo{Time: time.Now(), Kind: kind, Name: at, Addr: at, Generation: from.Generation(), From: at, Key: key, Payload: payload}
	if utf8.Valid(payload) {
		text := string(payload)
		e.PayloadText = &text
	}
	l.mu.Lock()
	if m, ok := l.members[at]; ok {
		e.Name, e.State = m.Name, m.State
	}
	l.mu.Unlock()
	data, err := json.Marshal(e)
	if err != nil {
		panic(err) // it has only fields that can be written
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.append(happened{kind, at, e.Name, data})
}

// append keeps an event, and tells everybody. The mutex is held.
func (l *eventLog) append(e happened) {
	if l.next-l.first == maxEvents {
		l.drop()
	}
	l.ring[l.next%maxEvents] = e
	l.next++
	for l.bytes += len(e.data); l.bytes > maxEventBytes; {
		l.drop()
	}
	for _, tell := range l.listeners {
		tell(e)
	}
	l.wake()
}

// drop forgets the earliest event. The mutex is held.
func (l *eventLog) drop() {
	e := &l.ring[l.first%maxEvents]
	l.bytes -= len(e.data)
	*e = happened{}
	l.first++
}

// wake tells those who wait that there is more. The mutex is held.
func (l *eventLog) wake() {
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
}

// after returns the events from a number on, and a channel that is closed when
// there are more. It is not ok if some of them are no longer kept, or have
// never been.
func (l *eventLog) after(number uint64) (events []happened, more <-chan struct{}, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if number < l.first || number > l.next {
		return nil, nil, false
	}
	for ; number < l.next; number++ {
		events = append(events, l.ring[number%maxEvents])
	}
	if l.more == nil {
		l.more = make(chan struct{})
	}
	return events, l.more, true
}

// snapshot returns all members as the events so far add up to, as an event,
// and the number of the next event.
func (l *eventLog) snapshot(node *selkie.Node) (eventInfo, uint64) {
	self := node.Self()
	e := describeEvent(selkie.Event{Time: time.Now(), Kind: selkie.EventSnapshot, Member: self})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(node)
	e.Members = nil
	for _, m := range l.members {
		if !m.Self {
			e.Members = append(e.Members, m)
		}
	}
	slices.SortFunc(e.Members, func(a, b memberInfo) int { return a.at().Compare(b.at()) })
	e.Members = slices.Insert(e.Members, 0, describe(self))
	return e, l.next
}

// forget removes those who are gone for so long that the node has forgotten
// them, which is no event. The mutex is held.
func (l *eventLog) forget(node *selkie.Node) {
	known := make(map[string]bool, len(l.members))
	for m := range node.Members() {
		known[m.Addr().String()] = true
	}
	maps.DeleteFunc(l.members, func(addr string, m memberInfo) bool {
		return !known[addr] && m.State != "alive" && m.State != "suspect"
	})
}

// tally returns how often members changed their states, and were doubted.
func (l *eventLog) tally() (moves map[move]uint64, suspected uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.moves), l.suspected
}

// id returns how the events before a number are called as the last one that
// somebody has seen.
func (l *eventLog) id(number uint64) string { return fmt.Sprintf("%s-%d", l.process, number) }

// resume returns the number of the event behind the one of an id. It is not ok
// for an id that this process did not give.
func (l *eventLog) resume(id string) (number uint64, ok bool) {
	process, digits, found := strings.Cut(id, "-")
	number, err := strconv.ParseUint(digits, 10, 64)
	return number, found && err == nil && process == l.process
}
