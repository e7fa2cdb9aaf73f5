package swim

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// FuzzCoreInputs takes bytes for a program of inputs to one core: packets that
// are valid, mutated or garbage, events that are due, stale or made up, every
// input of the owner, and a clock that steps, leaps and goes backwards. After
// each it checks the invariants; a packet that is dropped as a whole must
// leave the state as it was, and a clone must do what the original does.
func FuzzCoreInputs(f *testing.F) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		program := make([]byte, 500+rnd.IntN(3500))
		for i := range program {
			program[i] = byte(rnd.Uint32())
		}
		f.Add(program)
	}
	var lives [256]uint64 // mostly the first three, sometimes a later one, and the last there is
	for i := range lives {
		lives[i] = uint64(i-33) % 64
		if i < 36 {
			lives[i] = uint64(i / 12)
		}
	}
	lives[42] = 1<<64 - 1
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) > 4096 {
			return
		}
		p := &tape{rest: program}
		if p.byte()&1 == 0 {
			fuzzCore(t, p, Compact(), func(at, life byte) ID {
				gens := [...]uint64{populationNow, populationNow + 1, populationNow + 2, 1<<64 - 1}
				return testID4(10<<24|uint32(at), 7946, gens[life%4])
			})
			return
		}
		fuzzCore(t, p, names, func(at, life byte) who {
			return who{string(rune('a' + at)), int(1 + min(lives[life], lastLife-1))}
		})
	})
}

// A tape is read to its end, and yields zeros behind it.
type tape struct{ rest []byte }

func (p *tape) byte() byte {
	if len(p.rest) == 0 {
		return 0
	}
	b := p.rest[0]
	p.rest = p.rest[1:]
	return b
}

func (p *tape) below(n int) int { return int(p.byte()) % n }

// A fuzzed is a core, the runtime that it asks, and a clone of both that gets
// the same inputs.
type fuzzed[ID Identity[ID, Addr], Addr comparable] struct {
	t      testing.TB
	core   *Core[ID, Addr]
	random *rand.PCG
	rt     recorder[ID]
	guard  *Guard[ID, Addr]
	watch  Runtime[ID] // rt, with the guard before it
	twin   *fuzzed[ID, Addr]
	asked  []Datagram[ID] // the packets of the last input that sent any
}

// A recorder is a runtime that writes down what it is asked for.
type recorder[ID any] struct {
	now     Instant
	packets []Datagram[ID]
	notes   []Notification[ID]
	timers  []dueTimer[ID]
}

type dueTimer[ID any] struct {
	at    Instant
	event Timer[ID]
}

func (r *recorder[ID]) Now() Instant { return r.now }
func (r *recorder[ID]) SendTo(to ID, packet []byte) {
	r.packets = append(r.packets, Datagram[ID]{to, slices.Clone(packet)})
}
func (r *recorder[ID]) SubmitAfter(event Timer[ID], after time.Duration) {
	r.timers = append(r.timers, dueTimer[ID]{r.now.Add(max(after, 0)), event})
}
func (r *recorder[ID]) Notify(n Notification[ID]) { r.notes = append(r.notes, n) }

// A taker takes payloads by their first two bytes, the key and the version,
// and has no memory, so that a clone may share it.
type taker[ID any] struct{}

func (taker[ID]) Receive(item []byte, from ID) (Key, bool, error) {
	if len(item) < 2 {
		return Key{}, false, errors.New("too short")
	}
	return Key{Name: string(item[:1]), Version: uint64(item[1])}, item[1]%2 == 0, nil
}
func (taker[ID]) Wants(to Member[ID]) bool { return to.Incarnation != 3 }

// addresses is how many addresses there are in a program; 0 is our own.
const addresses = 6

var incarnations = [...]Incarnation{0, 0, 1, 2, 3, 127, 128, maxJump, maxJump + 9, 1<<64 - 2, 1<<64 - 1}

// fuzzConfigs are what the core is configured to; the last is invalid.
func fuzzConfigs(smallest int) []Config {
	return []Config{
		{Notify: Notify{Suspect: true, Updated: true, Received: true, Sent: true, ProbeFailed: true}},
		{Period: 200 * time.Millisecond, MaxMembers: 3, MaxTombstones: 1, MaxRelays: 1, MaxBroadcasts: 2, MaxNewMembers: 2},
		{MaxPacket: smallest, MaxReceive: 200, Gossip: Task{Every: Off}, IndirectProbes: Off},
		{Announce: Task{Every: Off}, AnnounceDown: Task{Every: Off}, StallLimit: Off, ForgetAfter: 2 * time.Second},
		{Rules: Rules{FinalDown: true, SoleVerdict: true, AccuserDeadline: true, SilentSuspicion: true, SilentPing: true, SilentRelay: true}},
		{Rules: Rules{SoleVerdict: true}, IndirectProbes: 16, Gossip: Task{Every: time.Millisecond, Num: 64}},
		{MaxHealth: maxHealth, MaxSuspicion: 100, Confirmations: 1, DeafLimit: time.Millisecond, Rules: Rules{SilentSuspicion: true}},
		{MaxHealth: Off, MaxSuspicion: 1, DeafLimit: Off, Rules: Rules{SilentPing: true, SilentRelay: true}},
		{MaxHealth: 1, Confirmations: Off, Period: 24 * time.Hour, SuspicionFactor: 1000, DeafLimit: 24 * time.Hour},
		{Period: time.Hour * 1000},
	}
}

func fuzzCore[ID Identity[ID, Addr], Addr comparable](t testing.TB, p *tape, codec Codec[ID], id func(at, life byte) ID) {
	configs := fuzzConfigs(codec.MaxHeader() + codec.MaxUpdate())
	random := rand.NewPCG(uint64(p.byte()), 0)
	config := configs[p.below(len(configs)-1)]
	core, err := NewWithHandler(id(0, 0), config, codec, rand.New(random), BroadcastHandler[ID](taker[ID]{}))
	if err != nil {
		t.Fatal(err)
	}
	f := &fuzzed[ID, Addr]{t: t, core: core, random: random, guard: NewGuard(core)}
	f.watch = f.guard.Watch(&f.rt)
	who := func() ID { b := p.byte(); return id(b%addresses, b/addresses) }
	for len(p.rest) > 0 {
		f.step(p, codec, configs, id, who)
	}
}

// step carries out one instruction.
func (f *fuzzed[ID, Addr]) step(p *tape, codec Codec[ID], configs []Config, id func(at, life byte) ID, who func() ID) {
	type core = Core[ID, Addr]
	type rt = Runtime[ID]
	switch op := p.below(48); op {
	default: // nearly half of all are packets
		f.receive(f.packet(p, codec, who))
	case 0:
		n := min(p.below(64), len(p.rest))
		data := p.rest[:n]
		p.rest = p.rest[n:]
		f.receive(data)
	case 1, 2, 3:
		f.wait(time.Duration(p.byte()) * 10 * time.Millisecond)
	case 4:
		f.wait([...]time.Duration{-time.Second, -time.Hour, time.Minute, 25 * time.Hour, 2000 * time.Hour}[p.below(5)])
	case 5, 6, 7, 8:
		for range 1 + p.below(8) {
			f.nextEvent(p.below(4) == 0)
		}
	case 9: // an event that nobody submitted
		kind := TimerKind(p.below(numTimerKinds + 1))
		event := Timer[ID]{Kind: kind, Token: uint32(p.byte()), ID: who()}
		if kind < numTimerKinds && p.below(2) == 0 {
			event.Token = f.core.tasks[kind].token
		}
		f.guard.Fired(event)
		f.input(func(c *core, r rt) error { return c.HandleTimer(event, r) })
	case 10:
		to := who()
		f.input(func(c *core, r rt) error { return c.Announce(to, r) })
	case 11:
		seeds := []ID{who(), who(), who()}[:p.below(4)]
		f.input(func(c *core, r rt) error { return c.SetSeeds(seeds, r) })
	case 12:
		f.input((*core).Gossip)
	case 13:
		f.input((*core).Broadcast)
	case 14:
		item := make([]byte, p.below(200))
		for i := range min(len(item), 2) {
			item[i] = p.byte() % 8
		}
		f.input(func(c *core, r rt) error { _, err := c.AddBroadcast(item, r); return err })
	case 15:
		if p.below(8) == 0 {
			f.input((*core).Leave)
		}
	case 16:
		known := []Update[ID]{f.update(p, who), f.update(p, who), f.update(p, who)}
		tell := p.below(2) == 0
		f.input(func(c *core, r rt) error { return c.Apply(slices.Values(known), tell, r) })
	case 17:
		next := who()
		if p.below(2) == 0 {
			next = id(0, p.byte())
		}
		f.input(func(c *core, r rt) error { return c.ChangeIdentity(next, r) })
	case 18:
		f.input((*core).ReuseIdentity)
	case 19:
		cfg := configs[p.below(len(configs))]
		before := f.core.Config()
		f.input(func(c *core, r rt) error {
			err := c.Configure(cfg, r)
			if err != nil && c.Config() != before {
				f.t.Fatalf("S30: %v changed the configuration", err)
			}
			return err
		})
	case 20:
		version := uint64(p.byte())
		f.input(func(c *core, r rt) error { return c.SetMetadata(version, r) })
	case 21:
		f.clone()
	case 22:
		if next, ok := f.core.us.id.Renew(); ok {
			f.input(func(c *core, r rt) error { return c.ChangeIdentity(next, r) })
		}
	case 27:
		with := who()
		f.input(func(c *core, r rt) error { return c.Sync(with, r) })
	case 23, 24, 25, 26:
		f.receive(f.answer(p, codec, who))
	}
}

// answer makes up the answer to one of the last packets.
func (f *fuzzed[ID, Addr]) answer(p *tape, codec Codec[ID], who func() ID) []byte {
	var in Packet[ID]
	if len(f.asked) == 0 || codec.Parse(f.asked[p.below(len(f.asked))].Data, &in) != nil {
		return nil
	}
	h := Header[ID]{Src: in.Header.Dst, Dst: f.core.us.id, Number: in.Header.Number, SrcIncarnation: Incarnation(p.below(4))}
	switch in.Header.Message {
	case MessagePing:
		h.Message, h.Digest = MessageAck, f.digest(p)
	case MessageSync:
		h.Message = MessageDiff
	case MessageDiff:
		h.Message = [...]Message{MessageRecords, MessageSync}[p.below(2)]
	case MessagePingReq:
		h.Message, h.About = [...]Message{MessageForwardedAck, MessageNack}[p.below(2)], in.Header.About
	case MessageIndirectPing:
		h.Message, h.About = MessageIndirectAck, in.Header.About
	case MessageAnnounce:
		h.Message, h.Number, h.Page = MessageFeed, 0, in.Header.Page
	case MessageAck:
		// Whom we answer may ask us for more.
		h.Message, h.About, h.NackAfter = MessagePingReq, who(), uint32(p.below(3))*400
	default:
		h.Message, h.Number = MessageGossip, 0
	}
	pkt := &Packet[ID]{Header: h}
	for range p.below(3) {
		pkt.Updates = append(pkt.Updates, f.update(p, who))
	}
	f.body(p, pkt)
	if !h.Message.HasUpdates() {
		pkt.Updates = nil
	}
	data, err := codec.Append(nil, 2000, pkt)
	if err != nil {
		return nil
	}
	return data
}

// digest makes up a digest, often that of the core.
func (f *fuzzed[ID, Addr]) digest(p *tape) Digest {
	d := Digest{Sum: f.core.view.sum, Members: f.core.view.members, Settled: p.below(2) == 0}
	switch p.below(4) {
	case 0:
		return Digest{}
	case 1:
		d.Sum++
	case 2:
		d.Members += uint32(p.byte())
	}
	if d.Members == 0 {
		return Digest{}
	}
	return d
}

// body makes up what a sync or diff says: cells of a few of those that the core
// knows, and of others, or anything.
func (f *fuzzed[ID, Addr]) body(p *tape, pkt *Packet[ID]) {
	var body []byte
	switch pkt.Header.Message {
	case MessageSync:
		s := sketch{key: sketchKey{uint64(p.below(3)), 1}, cells: make([]cell, 1+p.below(100))}
		for _, r := range f.core.roster.each {
			if r.counts() && p.below(3) > 0 {
				s.add(f.core.symbol(s.key, r.id, r.meta))
			}
		}
		for i := range p.below(40) {
			s.add(uint64(i) + 1)
		}
		from, long := 0, p.below(2) == 0
		if long {
			from = p.below(3) * len(s.cells) / 2
		}
		body = appendCells(nil, s.key, min(from, mostCells-len(s.cells)), s.cells, long)
	case MessageDiff:
		switch p.below(4) {
		case 0:
			body = []byte{diffList}
		case 1:
			body = binary.AppendUvarint([]byte{diffMore}, uint64(p.below(3)*97))
		default:
			var symbols []uint64
			for _, r := range f.core.roster.each {
				if r.counts() && p.below(2) == 0 {
					symbols = append(symbols, f.core.symbol(f.core.sync.key, r.id, r.meta))
				}
			}
			body = appendSymbols(nil, append(symbols, uint64(p.byte())))
		}
	default:
		return
	}
	pkt.Payloads = [][]byte{body}
}

// wait steps the clock.
func (f *fuzzed[ID, Addr]) wait(d time.Duration) {
	f.rt.now = max(0, f.rt.now.Add(d))
	if f.twin != nil {
		f.twin.rt.now = f.rt.now
	}
}

// nextEvent hands back the event that is due first, at its time or too early.
func (f *fuzzed[ID, Addr]) nextEvent(early bool) {
	if len(f.rt.timers) == 0 {
		return
	}
	first := 0
	for i, e := range f.rt.timers {
		if e.at < f.rt.timers[first].at {
			first = i
		}
	}
	e := f.rt.timers[first]
	if !early {
		f.wait(max(0, e.at.Sub(f.rt.now)))
	}
	f.rt.timers = slices.Delete(f.rt.timers, first, first+1)
	if f.twin != nil {
		f.twin.rt.timers = slices.Delete(f.twin.rt.timers, first, first+1)
	}
	f.guard.Fired(e.event)
	f.input(func(c *Core[ID, Addr], rt Runtime[ID]) error { return c.HandleTimer(e.event, rt) })
}

// update makes up a record.
func (f *fuzzed[ID, Addr]) update(p *tape, who func() ID) Update[ID] {
	u := Update[ID]{Member: Member[ID]{ID: who(), State: State(p.below(numStates)), Incarnation: incarnations[p.below(len(incarnations))]}}
	more := p.byte()
	if more%4 == 0 {
		u.Metadata = [...]uint64{1, 2, 1 << 40, 1<<64 - 1}[more/4%4]
	}
	if more%5 == 0 && !u.State.Active() {
		u.Remaining = uint32(more) << 8
	}
	if accusable(u.State) {
		for range more % (MaxAccusers + 1) {
			by := who()
			if !slices.ContainsFunc(append(u.By, u.ID), func(other ID) bool { return other.Addr() == by.Addr() }) {
				u.By = append(u.By, by)
			}
		}
	}
	return u
}

// packet makes up a packet that is mostly for us, and sometimes flips a bit.
func (f *fuzzed[ID, Addr]) packet(p *tape, codec Codec[ID], who func() ID) []byte {
	h := Header[ID]{Message: Message(p.below(numMessages)), Src: who(), Dst: f.core.us.id}
	h.SrcIncarnation = incarnations[p.below(len(incarnations))]
	how := p.byte()
	if how%8 == 0 {
		h.Dst = who()
	}
	if how%16 == 1 {
		h.SrcState = Left
	}
	if how%16 == 2 {
		h.SrcMetadata = uint64(p.byte())
	}
	if h.Message.HasNumber() {
		h.Number = f.core.probe.number - uint32(how%16/12)
	}
	if h.Message.HasAbout() {
		h.About = who()
	}
	if h.Message == MessagePingReq {
		h.NackAfter = [...]uint32{0, 1, 400, 5000, 1 << 31, 1<<32 - 1}[p.below(6)]
	}
	if h.Message.hasPages() {
		h.Page = uint32(p.below(4))
	}
	if h.Message.hasDigest() {
		h.Digest = f.digest(p)
	}
	if h.Message == MessageTurnUndead {
		h.AboutIncarnation = incarnations[p.below(len(incarnations))]
	}
	pkt := &Packet[ID]{Header: h}
	if h.Message.HasUpdates() {
		for range p.below(4) {
			pkt.Updates = append(pkt.Updates, f.update(p, who))
		}
	}
	if h.Message.HasPayloads() && how%16 > 12 {
		pkt.Payloads = [][]byte{{p.byte() % 8, p.byte() % 8, how}, {how % 8, 1}}
	}
	if h.Message.synchronises() {
		if how%4 > 0 {
			pkt.Header.Number, pkt.Payloads = f.core.sync.number, nil
			f.body(p, pkt)
		}
	}
	if h.Message == MessageAnnounce {
		pkt.PadTo = int(how) * 8
	}
	data, err := codec.Append(nil, 2000, pkt)
	if err != nil {
		return nil // the sender may be nobody who can be written
	}
	if how%32 == 31 {
		at := int(binary.LittleEndian.Uint16([]byte{p.byte(), p.byte()})) % (8 * len(data))
		data[at/8] ^= 1 << (at % 8)
	}
	return data
}

// wholeDrops are the reasons for which nothing but counters may change.
var wholeDrops = []Drop{DropMalformed, DropTooBig, DropEcho, DropSelfRelay, DropUnasked, DropMisaddressed, DropStaleUndead}

// receive hands over a packet, and checks what a drop or an answer may be.
func (f *fuzzed[ID, Addr]) receive(data []byte) {
	c := f.core
	c.tick(f.rt.now) // the time is part of the state
	before := c.Hash()
	verified, turned := map[Addr]bool{}, false
	for _, r := range c.roster.each {
		verified[r.id.Addr()] = r.flags&isVerified != 0
	}
	var in Packet[ID]
	parsed := c.codec.Parse(data, &in) == nil
	turned = parsed && (in.Header.Message == MessageTurnUndead || in.Header.Message.synced()) // which count if they answer us
	f.guard.Received(data)
	err := f.input(func(c *Core[ID, Addr], rt Runtime[ID]) error { return c.HandleData(slices.Clone(data), rt) })
	var drop Drop
	if errors.As(err, &drop) && slices.Contains(wholeDrops, drop) && len(f.rt.packets) == 0 && c.Hash() != before {
		f.t.Fatalf("S21: %v changed the state", err)
	}
	if !parsed {
		return
	}
	from := in.Header.Src.Addr()
	for _, d := range f.rt.packets {
		// Gossip goes to members by chance, and a renewal announces itself.
		var out Packet[ID]
		if c.codec.Parse(d.Data, &out) == nil && out.Header.Message.kind().answer && d.To.Addr() == from && !verified[from] && !turned && len(d.Data) > len(data) {
			f.t.Fatalf("T5: %d bytes from %v, which never answered us, were answered by %v with %d", len(data), from, &out, len(d.Data))
		}
	}
}

// input runs one input on the core and its clone, and checks all there is.
func (f *fuzzed[ID, Addr]) input(do func(c *Core[ID, Addr], rt Runtime[ID]) error) error {
	f.rt.packets, f.rt.notes = nil, nil
	err := do(f.core, f.watch)
	if wrong := f.guard.CheckAll(); wrong != nil {
		f.t.Fatal(wrong)
	}
	f.checkEvents()
	if len(f.rt.packets) > 0 {
		f.asked = f.rt.packets
	}
	if twin := f.twin; twin != nil {
		twin.core.now, twin.core.again = f.core.now, f.core.now
		twin.rt.packets, twin.rt.notes = nil, nil
		if other := do(twin.core, &twin.rt); (err == nil) != (other == nil) {
			f.t.Fatalf("the clone says %v instead of %v", other, err)
		}
		if !reflect.DeepEqual(f.rt, twin.rt) || f.core.Hash() != twin.core.Hash() {
			f.t.Fatalf("the clone did\n%+v\ninstead of\n%+v", twin.rt, f.rt)
		}
	}
	return err
}

// checkEvents: what is to come back has an event outstanding, each task and
// each suspicion one.
func (f *fuzzed[ID, Addr]) checkEvents() {
	c := f.core
	tasks := [numTimerKinds]int{}
	doubts := map[uint32]int{}
	for _, e := range f.rt.timers {
		if e.event.Kind == TimerSuspicion {
			doubts[e.event.Token]++
		} else if task := &c.tasks[e.event.Kind]; task.armed && task.token == e.event.Token {
			tasks[e.event.Kind]++
		}
	}
	for k := range c.tasks {
		if c.tasks[k].armed && tasks[k] == 0 {
			f.t.Fatalf("S16: task %v is armed and has no event", TimerKind(k))
		}
	}
	for _, r := range c.roster.each {
		if r.doubt != 0 && c.doubts.at(r.doubt).armed && doubts[c.doubts.at(r.doubt).token] == 0 {
			f.t.Fatalf("S16: the suspicion of %v is armed and has no event", r.id)
		}
	}
}

// clone begins to run a copy of the core beside it.
func (f *fuzzed[ID, Addr]) clone() {
	state, err := f.random.MarshalBinary()
	if err != nil {
		f.t.Fatal(err)
	}
	random := new(rand.PCG)
	if err := random.UnmarshalBinary(state); err != nil {
		f.t.Fatal(err)
	}
	f.twin = &fuzzed[ID, Addr]{core: f.core.Clone(rand.New(random)), rt: f.rt}
	f.twin.rt.timers = slices.Clone(f.rt.timers)
	if f.twin.core.Hash() != f.core.Hash() {
		f.t.Fatal("a clone has another hash")
	}
}
