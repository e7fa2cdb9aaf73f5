package sealed

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// pair returns alice and bob, who knows alice.
func pair(t testing.TB, configure ...func(*Config[byte])) (a, b *peer) {
	a, b = newPeer(t, alice, 1, configure...), newPeer(t, bob, 1, configure...)
	b.knows[alice] = true
	return a, b
}

func TestBoxOpensWhatAnotherSealed(t *testing.T) {
	a, b := pair(t)
	for i, payload := range [][]byte{a.says(b.self, "hello"), nil, {0}, make([]byte, 3), a.says(b.self, string(make([]byte, 1350)))} {
		packet := a.Seal([]byte("kept"), start, b.self, uint8(i), payload)
		if string(packet[:4]) != "kept" || len(packet) != 4+len(payload)+Usual {
			t.Errorf("%d bytes make a packet of %d behind %q", len(payload), len(packet)-4, packet[:4])
		}
		o, err := b.hear(start, packet[4:], alice)
		if err != nil || o.Payload == nil || !bytes.Equal(o.Payload, payload) || o.Channel != uint8(i) || o.Reply != nil {
			t.Errorf("%d bytes: %+v, %v", len(payload), o, err)
		}
	}
	want := Stats{Derived: 1, Sessions: 1}
	if got := b.Stats(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestChannelThatThereIsNotChangesNothing(t *testing.T) {
	a, b := pair(t)
	before := stateOf(a.Box)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		a.Seal(nil, start, b.self, MaxChannel+1, nil)
	}()
	if after := stateOf(a.Box); after.counter != before.counter || after.again != 0 {
		t.Errorf("%+v became %+v", before, after)
	}
}

// A sample is a packet that a box in some state would accept, once.
type sample struct {
	name string
	from byte
	to   func(t *testing.T) (p *peer, packet []byte) // the same each time
}

// samples are packets with payloads of a size: of sessions with and without a
// window, with and without a cookie.
func samples(size int) []sample {
	payload := make([]byte, size)
	if size >= 4 {
		copy(payload, []byte{alice, 1, bob, 1})
	}
	const cookie = 1
	make := func(met bool, kind int) func(t *testing.T) (*peer, []byte) {
		return func(t *testing.T) (*peer, []byte) {
			a, b := pair(t)
			if met {
				meet(t, start, a, b)
				meet(t, start, a, b)
			}
			packet := a.Seal(nil, start, b.self, 2, payload)
			if kind == cookie {
				b.wary = true
				if met { // as if it was sealed before what let the session in
					b.sessions[a.session].first = a.counter
				}
				packet = a.wantAnswer(t, start, b.wantChallenge(t, start, packet, alice, FaultUnknown), bob)
			}
			return b, packet
		}
	}
	return []sample{
		{"known", alice, make(true, 0)},
		{"new", alice, make(false, 0)},
		{"known, with a cookie", alice, make(true, cookie)},
		{"new, with a cookie", alice, make(false, cookie)},
	}
}

func eachSample(t *testing.T, check func(t *testing.T, s sample, p *peer, good []byte)) {
	for _, size := range []int{0, 1, 40, 1350} {
		for _, s := range samples(size) {
			t.Run(fmt.Sprintf("%d bytes, %s", size, s.name), func(t *testing.T) {
				p, good := s.to(t)
				check(t, s, p, good)
			})
		}
	}
}

// S23: what is changed on its way is refused, changes nothing, and does not keep
// the packet as it was from being accepted, once.
func TestEveryChangeOfAPacketIsRefused(t *testing.T) {
	eachSample(t, func(t *testing.T, s sample, p *peer, good []byte) {
		now := start
		refuse := func(what string, bad []byte) {
			now += millisecond // in which a token for a new session comes
			before := stateOf(p.Box)
			o, err := p.hear(now, bad, s.from)
			if _, isFault := errors.AsType[Fault](err); !isFault || o.Payload != nil || o.Reply != nil {
				t.Fatalf("%s: %q, reply %x, %v", what, o.Payload, o.Reply, err)
			}
			if after := stateOf(p.Box); !equalStates(before, after) {
				t.Fatalf("%s: %v, but that changed\n%+v into\n%+v", what, err, before, after)
			}
		}
		for bit := range len(good) * 8 {
			refuse(fmt.Sprintf("bit %d flipped", bit), flipped(good, bit))
		}
		for n := range good {
			refuse(fmt.Sprintf("cut to %d bytes", n), good[:n])
			refuse(fmt.Sprintf("without the first %d bytes", n+1), good[n+1:])
		}
		for b := range 256 {
			refuse(fmt.Sprintf("with %d behind it", b), append(bytes.Clone(good), byte(b)))
			refuse(fmt.Sprintf("with %d before it", b), append([]byte{byte(b)}, good...))
		}
		p.wantHeard(t, now, good, s.from, "")
		p.wantRefused(t, now, good, s.from, FaultReplay)
	})
}

// S23: a packet is for those with its key, in its cluster, at its destination.
func TestPacketsForOthersAreRefused(t *testing.T) {
	a, b := pair(t)
	meet(t, start, a, b)
	for name, other := range map[string]struct {
		configure func(*Config[byte])
		addr      byte
		want      Fault
	}{
		"another cluster": {func(c *Config[byte]) { c.Cluster = "red" }, bob, FaultCluster},
		"another key":     {keys(keyB), bob, FaultKey},
		"another address": {keys(keyA), carol, FaultDestination},
	} {
		t.Run(name, func(t *testing.T) {
			o := newPeer(t, other.addr, 1, other.configure)
			o.knows[alice] = true
			packet := a.say(start, b.self, "for bob")
			o.wantRefused(t, start, packet, alice, other.want)
			// Nor if it is made to look as one for them.
			copy(packet[offCluster:], o.cluster[:])
			id := o.Keys()[0].ID
			copy(packet[offKey:], id[:])
			if want := FaultForged; name != "another address" {
				o.wantRefused(t, start, packet, alice, want)
			}
			o.wantRefused(t, start, packet, bob, map[bool]Fault{true: FaultDestination, false: FaultForged}[other.addr == carol])
		})
	}
	a.wantRefused(t, start, a.say(start, b.self, "comes back"), bob, FaultDestination)
}

func TestWhoHasTheKeyMustStillMakeSense(t *testing.T) {
	a, b := pair(t)
	b.wantRefused(t, start, a.Seal(nil, start, b.self, 15, nil), alice, FaultPayload)
	meet(t, start, a, b)
	b.wantRefused(t, start, a.Seal(nil, start, b.self, 15, nil), alice, FaultPayload)
	// A session belongs to the address that it began with.
	b.wantRefused(t, start, a.Seal(nil, start, b.self, 0, []byte{carol, 1, bob, 1}), alice, FaultSource)
	// The highest bit of a counter must be free, so that it never overflows.
	high := plainPacket(keyA[:], "blue", a.session[:], 1<<63, 0, nil, nil)
	b.wantRefused(t, start, high, alice, FaultForged)
	b.wantHeard(t, start, plainPacket(keyA[:], "blue", a.session[:], 1<<63-1, 0, nil, nil), alice, "")
	b.wantRefused(t, start, plainPacket(keyA[:], "blue", a.session[:], 1<<63-1, 0, nil, nil), alice, FaultReplay)
	for bit := byte(0x10); bit < flagCookie; bit <<= 1 {
		b.wantRefused(t, start, plainPacket(keyA[:], "blue", a.session[:], 1<<62, bit, nil, nil), alice, FaultVersion)
	}
}

func TestPacketsOutOfOrderAreAcceptedOnceEach(t *testing.T) {
	a, b := pair(t)
	meet(t, start, a, b)
	var packets [][]byte
	for i := range 1025 {
		packets = append(packets, a.say(start, b.self, fmt.Sprint(i)))
	}
	random := rand.New(rand.NewPCG(5, 6))
	for _, i := range random.Perm(len(packets)) {
		b.wantHeard(t, start, packets[i], alice, fmt.Sprint(i))
		b.wantRefused(t, start, packets[i], alice, FaultReplay)
	}
	for _, packet := range packets {
		b.wantRefused(t, start, packet, alice, FaultReplay)
	}
	late := a.say(start, b.self, "late")
	for range 1088 {
		last := a.say(start, b.self, "last")
		if a.counter%64 == 0 {
			b.wantHeard(t, start, last, alice, "last")
		}
	}
	b.wantHeard(t, start, a.say(start, b.self, "last"), alice, "last")
	b.wantRefused(t, start, late, alice, FaultReplay)
}

// TestRecordingsForAnEarlierProcessAreWorthNothing: nothing that was recorded before
// a process began is accepted by it, neither while it does not know the session, nor
// once it does. Windows began empty once, and let in what came before.
func TestRecordingsForAnEarlierProcessAreWorthNothing(t *testing.T) {
	a, before := pair(t)
	var recorded [][]byte
	for i := range 100 {
		packet := a.say(start, before.self, fmt.Sprint(i))
		before.wantHeard(t, start, packet, alice, fmt.Sprint(i))
		recorded = append(recorded, packet)
	}
	a.recent = recent[byte]{} // that is long ago: it can not be sealed again
	after := newPeer(t, bob, 2)
	after.knows[alice] = true
	replay := func() {
		t.Helper()
		for _, packet := range recorded {
			a.wantRefused(t, start, after.wantChallenge(t, start, packet, alice, FaultUnknown), bob, FaultChallenge)
		}
	}
	replay()
	after.wantHeard(t, start, a.say(start, after.self, "welcome back"), alice, "welcome back")
	replay()
	// What is new is accepted, in whatever order, and for the life before too.
	late := a.say(start, before.self, "are you there?")
	after.wantHeard(t, start, a.say(start, after.self, "first"), alice, "first")
	after.wantHeard(t, start, late, alice, "are you there?")
	replay()
}

// TestNothingIsAcceptedTwiceThoughWindowsAreGivenUp: also not when the session comes
// back, and gets a new window.
func TestNothingIsAcceptedTwiceThoughWindowsAreGivenUp(t *testing.T) {
	a := newPeer(t, alice, 1)
	b := newPeer(t, bob, 1, func(c *Config[byte]) { c.MaxSessions, c.Wary = 3, true })
	now := start
	var recorded [][]byte
	for i := range 50 {
		packet := a.say(now, b.self, fmt.Sprint(i))
		recorded = append(recorded, packet)
		o, err := b.hear(now, packet, alice)
		if i == 0 { // with a cookie
			packet = a.wantAnswer(t, now, o.Reply, bob)
			recorded = append(recorded, packet)
			b.wantHeard(t, now, packet, alice, "0")
		} else if err != nil {
			t.Fatal(err)
		}
	}
	first := a.session
	for life := uint64(1); b.sessions[first] != nil; life++ {
		now += int64(sweepSilence) + second
		meet(t, now, newPeer(t, carol, life), b)
	}
	replay := func() {
		t.Helper()
		for _, packet := range recorded {
			if o, err := b.hear(now, packet, alice); err == nil || o.Payload != nil {
				t.Fatalf("accepted twice: %q", o.Payload)
			}
		}
	}
	a.recent = recent[byte]{}
	replay()
	meet(t, now, a, b)
	replay()
	if b.Stats().Sessions > 3 {
		t.Errorf("%d sessions", b.Stats().Sessions)
	}
}

// TestMembersAreChallengedOnceAWindowWasGivenUp: also for our own life, because it
// may be theirs.
func TestMembersAreChallengedOnceAWindowWasGivenUp(t *testing.T) {
	a := newPeer(t, alice, 1)
	b := newPeer(t, bob, 1, func(c *Config[byte]) { c.MaxSessions = 1 })
	b.knows[alice], b.knows[carol] = true, true
	packet := a.say(start, b.self, "once")
	b.wantHeard(t, start, packet, alice, "once")
	now := start + int64(sweepSilence) + second
	meet(t, now, newPeer(t, carol, 1), b)
	if b.sessions[a.session] != nil {
		t.Fatal("the window is still there")
	}
	b.wantChallenge(t, now, packet, alice, FaultUnknown)
}

func TestMaxSessionsIsKept(t *testing.T) {
	b := newPeer(t, bob, 1, func(c *Config[byte]) { c.MaxSessions = 8 })
	now := start
	meetAll := func(life uint64) (met int, faults []error) {
		for addr := byte(100); addr < 120; addr++ {
			b.knows[addr] = true
			p := newPeer(t, addr, life)
			packet := p.say(now, b.self, "hello")
			o, err := b.hear(now, packet, addr)
			if o.Reply != nil {
				o, err = b.hear(now, p.wantAnswer(t, now, o.Reply, bob), addr)
			}
			if err == nil {
				met++
			} else if !slices.Contains(faults, err) {
				faults = append(faults, err)
			}
			if b.Stats().Sessions > 8 {
				t.Fatalf("%d sessions", b.Stats().Sessions)
			}
		}
		return met, faults
	}
	wantMet := func(life uint64, want int) {
		t.Helper()
		if met, faults := meetAll(life); met != want || want < 20 && (len(faults) != 1 || faults[0] != FaultFull) {
			t.Errorf("%d were let in, %v; want %d", met, faults, want)
		}
	}
	wantMet(1, 8)
	now += int64(sweepSilence)
	wantMet(2, 0) // not yet silent for long enough
	// A member that begins anew leaves a session behind each time; if those were
	// kept for ever, nobody would be let in some day.
	for life := uint64(3); life < 20; life++ {
		now += int64(sweepSilence) + second
		wantMet(life, 8)
	}
}

func TestSessionsOfStrangersGoFirst(t *testing.T) {
	b := newPeer(t, bob, 1, func(c *Config[byte]) { c.MaxSessions, c.Wary = 4, true })
	members := []*peer{newPeer(t, 101, 1), newPeer(t, 102, 1)}
	for _, p := range append(members, newPeer(t, 103, 1), newPeer(t, 104, 1)) {
		b.knows[p.self.Addr] = p.self.Addr <= 102
		meet(t, start, p, b)
	}
	now := start + int64(sweepSilence) + second
	meet(t, now, newPeer(t, 105, 1), b)
	for _, p := range members {
		b.wantHeard(t, now, p.say(now, b.self, "still here"), p.self.Addr, "still here")
	}
	if got := b.Stats().Sessions; got != 3 {
		t.Errorf("%d sessions, want those of two members and who is new", got)
	}
}

func TestSessionEndsAfter4BillionPackets(t *testing.T) {
	a, b := pair(t)
	meet(t, start, a, b)
	old := a.session
	a.counter = a.first + rekeyPackets - 2
	for i := range 4 {
		text := fmt.Sprint("around the end ", i)
		b.wantHeard(t, start, a.say(start, b.self, text), alice, text)
		if renewed := a.session != old; renewed != (i >= 2) {
			t.Errorf("after %d packets of two: another session %t", i+1, renewed)
		}
	}
	if a.counter != a.first+2 || a.first%(1<<32) != 0 || a.first >= 1<<62 {
		t.Errorf("the session begins with %x and is at %x", a.first, a.counter)
	}
	if got := b.Stats().Sessions; got != 2 {
		t.Errorf("%d sessions", got)
	}
}

func TestSessionEndsAfter30Days(t *testing.T) {
	a, b := pair(t)
	old := a.session
	waiting := a.say(start, b.self, "sealed before")
	for _, step := range []struct {
		at      int64
		renewed bool
	}{{start + int64(rekeyAge), false}, {start + int64(rekeyAge) + 1, true}} {
		b.wantHeard(t, step.at, a.say(step.at, b.self, "hello"), alice, "hello")
		if a.session != old != step.renewed {
			t.Errorf("after %d ns: another session %t", step.at-start, !step.renewed)
		}
	}
	// What is left of the session before can not be taken for a packet of this one.
	if got := stateOf(a.Box).again; got != 1 {
		t.Errorf("%d packets can be sealed again, want the one of this session", got)
	}
	forged := plainChallenge(keyA[:], waiting, []byte("a cookie"))
	a.wantRefused(t, start+int64(rekeyAge)+2, forged, bob, FaultChallenge)
}

// TestProcessesThatDrawTheSameSessionUseOtherNonces: if that ever happens.
func TestProcessesThatDrawTheSameSessionUseOtherNonces(t *testing.T) {
	used := make(map[uint64]bool)
	for life := range uint64(100) {
		p := newPeer(t, alice, life)
		if used[p.first] {
			t.Errorf("two begin with the counter %x", p.first)
		}
		used[p.first] = true
	}
}

// TestRefusedRecordingsDoNotDisplaceKeysInUse: the keys of unknown sessions are not
// kept, however many are replayed.
func TestRefusedRecordingsDoNotDisplaceKeysInUse(t *testing.T) {
	a, b := pair(t)
	meet(t, start, a, b)
	derived := b.Stats().Derived
	stranger := newPeer(t, carol, 1)
	for range keptSubkeys * 2 {
		stranger.rekey(start)
		b.wantChallenge(t, start, stranger.say(start, Party[byte]{bob, 9}, "recorded"), carol, FaultUnknown)
	}
	b.wantHeard(t, start, a.say(start, b.self, "hello"), alice, "hello")
	if got := b.Stats().Derived - derived; got != keptSubkeys*2 {
		t.Errorf("%d keys were derived, want %d: one more was lost", got, keptSubkeys*2)
	}
}

func TestSealingAndOpeningAllocatesNothing(t *testing.T) {
	a, b := pair(t)
	meet(t, start, a, b)
	payload, room := a.says(b.self, string(make([]byte, 1346))), make([]byte, 0, 1500)
	var good [][]byte
	for range 102 {
		good = append(good, a.Seal(nil, start, b.self, 0, payload))
	}
	known := a.Seal(nil, start, b.self, 0, payload)
	unknown := bytes.Clone(known)
	known[offIntro] ^= 1
	unknown[offSession] ^= 1
	sealedWrong := plainPacket(keyA[:], "blue", a.session[:], a.counter+5, 0, nil, payload)
	sealedWrong[100] ^= 1
	from := []byte{alice}
	for name, do := range map[string]func() error{
		"sealing":                  func() error { room = a.Seal(room[:0], start, b.self, 0, payload); return nil },
		"opening":                  func() error { _, err := b.Open(start, good[0], from); good = good[1:]; return err },
		"refusing a known session": func() error { return wanted(FaultForged)(b.Open(start, known, from)) },
		"refusing one made up":     func() error { return wanted(FaultForged)(b.Open(start, unknown, from)) },
		"refusing other bytes":     func() error { return wanted(FaultForged)(b.Open(start, sealedWrong, from)) },
		"refusing a replay": func() error {
			room = append(room[:0], known...)
			binary.BigEndian.PutUint64(room[offCounter:], a.first)
			return wanted(FaultReplay)(b.Open(start, room, from))
		},
	} {
		if allocs := testing.AllocsPerRun(100, func() {
			if err := do(); err != nil {
				t.Error(name, err)
			}
		}); allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

// wanted makes the error that must be none, and the other way round.
func wanted(want Fault) func(Opened[byte], error) error {
	return func(_ Opened[byte], err error) error {
		if err != want {
			return fmt.Errorf("%v, want %v", err, want)
		}
		return nil
	}
}

// FuzzOpen checks that nothing but what others sealed is accepted, that what is
// refused changes nothing, and that nothing panics.
func FuzzOpen(f *testing.F) {
	build := func(t testing.TB) (a, b *peer, good [][]byte) {
		a, b = pair(t)
		meet(t, start, a, b)
		for _, size := range []int{0, 1, 40} {
			good = append(good, a.Seal(nil, start, b.self, 1, make([]byte, size)[:min(size, 3)]))
		}
		c := newPeer(t, carol, 1)
		c.knows[bob] = true
		good = append(good, a.say(start, b.self, "hello"), c.say(start, Party[byte]{bob, 9}, "for another life"))
		return a, b, append(good, plainChallenge(keyA[:], b.say(start, a.self, "first"), []byte("a cookie")))
	}
	_, _, good := build(f)
	f.Add([]byte(nil))
	for _, packet := range good {
		f.Add(packet)
		f.Add(flipped(packet, 9*8+1))
		f.Add(packet[:len(packet)-1])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, b, good := build(t)
		is := slices.IndexFunc(good, func(packet []byte) bool { return bytes.Equal(packet, data) })
		before := stateOf(b.Box)
		o, err := b.hear(start, data, alice)
		after := stateOf(b.Box)
		if err == nil {
			if is < 0 {
				t.Fatalf("%x was accepted", data)
			}
			return
		}
		if o.Reply != nil && is != 4 {
			t.Fatalf("%x was challenged", data)
		}
		before.stats.Challenges = after.stats.Challenges
		if _, isFault := errors.AsType[Fault](err); !isFault || o.Payload != nil || !equalStates(before, after) {
			t.Fatalf("%x: %v, but that changed\n%+v into\n%+v", data, err, before, after)
		}
	})
}
