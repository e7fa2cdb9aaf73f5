package swim

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// A counting runtime counts how often the time is read, and when.
type counting struct {
	now    Instant
	reads  int
	late   bool // the time was read after something else
	others int
	inside func() // called from within every method, if set
}

func (r *counting) Now() Instant {
	r.reads++
	r.late = r.late || r.others > 0
	return r.now
}
func (r *counting) enter() {
	r.others++
	if r.inside != nil {
		r.inside()
	}
}
func (r *counting) SendTo(who, []byte)                    { r.enter() }
func (r *counting) SubmitAfter(Timer[who], time.Duration) { r.enter() }
func (r *counting) Notify(Notification[who])              { r.enter() }

// inputs are all inputs of a core, by name.
func inputs(c *testCore) map[string]func(rt Runtime[who]) error {
	ping := c.encode(&Packet[who]{Header: Header[who]{Src: who{"z", 1}, Dst: c.Self().ID, Message: MessagePing, Number: 1}})
	return map[string]func(rt Runtime[who]) error{
		"HandleData": func(rt Runtime[who]) error { return c.HandleData(ping, rt) },
		"HandleTimer": func(rt Runtime[who]) error {
			return c.HandleTimer(Timer[who]{Kind: TimerProbe, Token: c.tasks[TimerProbe].token}, rt)
		},
		"Announce":     func(rt Runtime[who]) error { return c.Announce(who{"b", 0}, rt) },
		"SetSeeds":     func(rt Runtime[who]) error { return c.SetSeeds([]who{{"q", 0}}, rt) },
		"Gossip":       func(rt Runtime[who]) error { return c.Gossip(rt) },
		"Broadcast":    func(rt Runtime[who]) error { return c.Broadcast(rt) },
		"AddBroadcast": func(rt Runtime[who]) error { _, err := c.AddBroadcast([]byte("x=1"), rt); return err },
		"Leave":        func(rt Runtime[who]) error { return c.Leave(rt) },
		"Apply": func(rt Runtime[who]) error {
			return c.Apply(slices.Values([]Update[who]{claim("y", 1, Alive, 0)}), true, rt)
		},
		"ChangeIdentity": func(rt Runtime[who]) error { return c.ChangeIdentity(who{"a", 2}, rt) },
		"ReuseIdentity":  func(rt Runtime[who]) error { return c.ReuseIdentity(rt) },
		"Configure":      func(rt Runtime[who]) error { return c.Configure(WAN(3), rt) },
		"SetMetadata":    func(rt Runtime[who]) error { return c.SetMetadata(1, rt) },
	}
}

func TestEveryInputReadsTheTimeOnceAndFirst(t *testing.T) {
	for name := range inputs(newTestCore(t, Config{}, "a")) {
		c := newTestCoreOf(t, Config{}, who{"a", 1}, &testNode{values: map[string]uint64{}}, "b", "c")
		rt := &counting{now: c.now.Add(2 * time.Second)}
		_ = inputs(c)[name](rt)
		if rt.reads != 1 || rt.late {
			t.Errorf("%s read the time %d times, after something else: %v", name, rt.reads, rt.late)
		}
	}
}

// Rule 107, and the contract of Runtime: a core that is entered again panics
// with a sentence before anything changes, and works on.
func TestReentrancyPanicsAndTheCoreWorksOn(t *testing.T) {
	for outer := range inputs(newTestCore(t, Config{}, "a")) {
		c := newTestCoreOf(t, Config{}, who{"a", 1}, &testNode{values: map[string]uint64{}}, "b", "c")
		rt := &counting{now: c.now.Add(2 * time.Second)}
		panics := 0
		rt.inside = func() {
			for inner, input := range inputs(c) {
				func() {
					hash := c.Hash()
					defer func() {
						said, _ := recover().(string)
						if !strings.Contains(said, "called from inside its own Runtime") {
							t.Errorf("%s inside %s: panicked with %q", inner, outer, said)
						}
						if c.Hash() != hash {
							t.Errorf("%s inside %s changed the state", inner, outer)
						}
						panics++
					}()
					_ = input(&counting{})
				}()
			}
		}
		_ = inputs(c)[outer](rt)
		if rt.others > 0 && panics == 0 {
			t.Errorf("%s: nothing panicked", outer)
		}
		if err := c.hear("b", Header[who]{Message: MessagePing, Number: 5}); err != nil && err != DropDefunct {
			t.Errorf("after %s: %v", outer, err)
		}
	}
}

// A panic of the owner's code leaves the core usable.
func TestPanicOfTheOwnerDoesNotLockTheCore(t *testing.T) {
	c := newTestCore(t, Config{}, "a", "b")
	func() {
		defer func() { _ = recover() }()
		_ = c.Gossip(&counting{now: c.now, inside: func() { panic("the owner's") }})
		t.Error("no panic")
	}()
	if err := c.hear("b", Header[who]{Message: MessagePing, Number: 5}); err != nil {
		t.Error(err)
	}
}

// Rule 107: what a Runtime is handed is overwritten by the next packet.
func TestPacketsAreValidOnlyDuringTheCall(t *testing.T) {
	c := newTestCore(t, Config{}, "a", "b", "c")
	keep := &keeper{}
	if err := c.Gossip(keep); err != nil {
		t.Fatal(err)
	}
	if len(keep.kept) != 2 || &keep.kept[0][0] != &keep.kept[1][0] {
		t.Error("packets do not share their memory, so the promise is void")
	}
}

type keeper struct {
	counting
	kept [][]byte
}

func (k *keeper) SendTo(_ who, data []byte) { k.kept = append(k.kept, data) }

// Rules 28 and 42: a probe event while nobody is known is an error; one that
// was replaced, or was never submitted, is nothing.
func TestOnlyTheOutstandingEventOfATaskActs(t *testing.T) {
	alone := newTestCore(t, Config{}, "a")
	alone.wantError("alone", ErrNotConnected, func() error {
		return alone.HandleTimer(Timer[who]{Kind: TimerProbe}, alone.out)
	})
	c := newTestCore(t, Config{}, "a", "b")
	for k := range TimerKind(numTimerKinds + 1) {
		for _, token := range []uint32{c.tasks[min(k, numTimerKinds-1)].token + 1, 1 << 31} {
			c.wantDrop("an event that is not outstanding: "+k.String(), DropStaleTimer, func() error {
				return c.HandleTimer(Timer[who]{Kind: k, Token: token, ID: who{"b", 1}}, c.out)
			})
		}
	}
}

// S16: a task that is due soon and late in turn, as contacting the lost is for
// whoever is alone in turns with others, leaves one event behind and not one each
// time. It runs when it is due all the same.
func TestEventThatIsLeftBehindIsUsedAgain(t *testing.T) {
	c := newTestCore(t, Config{}, "a")
	arm := func(after time.Duration) {
		c.enter(c.out)
		defer c.exit()
		c.arm(TimerAnnounceDown, after)
	}
	task := &c.tasks[TimerAnnounceDown]
	for range 90 {
		arm(time.Minute)
		c.run(500 * time.Millisecond)
		arm(time.Second)
		c.run(500 * time.Millisecond)
		if !task.armed {
			t.Fatal("the task ran, and is not due")
		}
	}
	if n := c.outstanding(TimerAnnounceDown); n > 2 {
		t.Errorf("%d events are outstanding", n)
	}
	arm(time.Minute)
	if c.run(time.Minute - 1); !task.armed {
		t.Error("the task ran before it was due")
	}
	if c.run(1); task.armed {
		t.Error("the task did not run when it was due")
	}
}

// S16: however a task is armed anew, the events on their way are few: each comes
// at half the time of the one that it left behind. The task runs when it is due.
func TestEventsThatAreLeftBehindAreFew(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	for _, step := range []time.Duration{time.Nanosecond, time.Microsecond, 7 * time.Millisecond} {
		c := newTestCore(t, Config{}, "a")
		task := &c.tasks[TimerAnnounceDown]
		after := time.Minute
		for range 5000 {
			c.enter(c.out)
			c.arm(TimerAnnounceDown, after)
			c.exit()
			due := task.due
			if n := c.outstanding(TimerAnnounceDown); n > 40 {
				t.Fatalf("with steps of %v, %d events are outstanding", step, n)
			}
			c.run(step)
			if task.armed == (c.now >= due) {
				t.Fatalf("with steps of %v, the task is due at %v, at %v armed: %v", step, due, c.now, task.armed)
			}
			if after -= step + step/2; after < 0 || rnd.IntN(1000) == 0 {
				after = time.Minute
			}
		}
	}
}

// D11: an event that comes early is submitted again and does nothing.
func TestEarlyEventIsSubmittedAgain(t *testing.T) {
	c := newTestCore(t, Config{}, "a", "b")
	for c.out.Len() > 0 {
		c.out.take()
	}
	task := c.tasks[TimerProbe]
	event := Timer[who]{Kind: TimerProbe, Token: task.token}
	if err := c.HandleTimer(event, c.out); err != nil {
		t.Error(err)
	}
	c.wantQuiet("too early")
	if got := c.out.Wake(); got != task.due.Sub(c.now) {
		t.Errorf("it comes again after %v, want %v", got, task.due.Sub(c.now))
	}
	c.now = task.due
	if err := c.HandleTimer(event, c.out); err != nil {
		t.Error(err)
	}
	c.want("in time", "", "-> b ping #1")
}

// D11: lateness up to the limit is nothing, above it a pause.
func TestLateEventIsAPause(t *testing.T) {
	for _, test := range []struct {
		limit, late time.Duration
		pauses      uint64
	}{
		{0, 250 * time.Millisecond, 0},
		{0, 251 * time.Millisecond, 1},
		{2 * time.Second, 2 * time.Second, 0},
		{Off, time.Hour, 0},
	} {
		c := newTestCore(t, Config{StallLimit: test.limit}, "a", "b", "c", "d")
		c.know(claim("b", 1, Suspect, 0, "c", "d"))
		due := c.doubts.at(c.roster.at(must(c.roster.find("b"))).doubt).deadline()
		c.now = c.tasks[TimerProbe].due.Add(test.late)
		if err := c.HandleTimer(Timer[who]{Kind: TimerProbe, Token: c.tasks[TimerProbe].token}, c.out); err != nil {
			t.Error(err)
		}
		moved := c.doubts.at(c.roster.at(must(c.roster.find("b"))).doubt).deadline().Sub(due)
		if c.Stats().Pauses != test.pauses || moved != time.Duration(test.pauses)*test.late {
			t.Errorf("%v late: %d pauses, the deadline moved by %v", test.late, c.Stats().Pauses, moved)
		}
	}
}

// D11: time never goes backwards.
func TestEarlierTimeCountsAsTheLast(t *testing.T) {
	c := newTestCore(t, Config{}, "a", "b")
	last := c.now
	c.now = last.Add(-time.Minute)
	if err := c.hear("b", Header[who]{Message: MessagePing, Number: 1}); err != nil {
		t.Error(err)
	}
	if m := c.roster.times(must(c.roster.find("b"))); m.heard != last {
		t.Errorf("heard at %v, want %v", m.heard, last)
	}
}

// Rule 100: events that are due at one instant come by kind, whoever was
// submitted first.
func TestEventsOfOneInstantComeByKind(t *testing.T) {
	order := []TimerKind{TimerIndirect, TimerNack, TimerProbe, TimerSuspicion, TimerAnnounce, TimerAnnounceDown, TimerGossip, TimerForget}
	if len(order) != numTimerKinds {
		t.Fatal("a kind is missing here")
	}
	out := NewOutbox[who](func() Instant { return 0 })
	rnd := rand.New(rand.NewPCG(5, 5))
	for _, i := range rnd.Perm(len(order)) {
		out.SubmitAfter(Timer[who]{Kind: order[i]}, 0)
	}
	var got []TimerKind
	for event := range out.Due() {
		got = append(got, event.Kind)
	}
	if !slices.Equal(got, order) {
		t.Errorf("came as %v", got)
	}
}

// Rule 105: each error of the owner's inputs, and nothing has changed.
func TestOwnersErrorsChangeNothing(t *testing.T) {
	c := newTestCore(t, Config{}, "a")
	c.wantError("gossip alone", ErrNotConnected, func() error { return c.Gossip(c.out) })
	c.wantError("broadcast alone", ErrNotConnected, func() error { return c.Broadcast(c.out) })
	c.wantError("no handler", ErrNoHandler, func() error { _, err := c.AddBroadcast([]byte("x=1"), c.out); return err })
	c.wantError("metadata version 0", ErrStaleVersion, func() error { return c.SetMetadata(0, c.out) })
	c.wantError("too many seeds", ErrFull, func() error { return c.SetSeeds(make([]who, maxContacts+1), c.out) })
	c.wantError("a record that is none", ErrMalformed, func() error {
		return c.know(Update[who]{Member: Member[who]{ID: who{"b", 1}, State: numStates}})
	})
	c.wantDrop("announcing to ourselves", DropEcho, func() error { return c.Announce(who{"a", 0}, c.out) })
	var wrong *ConfigError
	if err := c.Configure(Config{Period: 1}, c.out); !errors.As(err, &wrong) || wrong.Field != "Period" {
		t.Errorf("configure: %v", err)
	}
	h := newTestCoreOf(t, Config{MaxBroadcasts: 1}, who{"a", 1}, &testNode{values: map[string]uint64{}})
	add := func(item string) func() error {
		return func() error { _, err := h.AddBroadcast([]byte(item), h.out); return err }
	}
	h.wantError("empty", ErrEmpty, add(""))
	h.wantError("too big", ErrTooBig, add(strings.Repeat("x", h.largestPayload()+1)))
	if err := add("x=1")(); err != nil {
		t.Error(err)
	}
	h.wantError("too many", ErrFull, add("y=1"))
	if err := h.Leave(h.out); err != nil {
		t.Error(err)
	}
	h.told()
	h.wantError("leaving twice", ErrLeft, func() error { return h.Leave(h.out) })
	h.wantError("announcing after leaving", ErrLeft, func() error { return h.Announce(who{"b", 0}, h.out) })
}
