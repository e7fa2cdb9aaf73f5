package swim

import (
	"iter"
	"math/rand/v2"
	"time"
)

// A Core is the protocol as a value: no goroutine, no clock, no socket, no
// randomness of its own. Feed it anything, any number of times; then carry
// out what it asked its [Runtime] for.
//
// A Core is not safe for concurrent use, and no input may be called from
// inside a method of its Runtime or [BroadcastHandler]: that panics, before
// anything has changed. Each input reads the time once, first.
type Core[ID Identity[ID, Addr], Addr comparable] struct {
	cfg     Config
	codec   Codec[ID]
	rnd     *rand.Rand
	handler BroadcastHandler[ID]
	limits  Limits // of the codec

	rt    Runtime[ID] // of the input that is under way, else nil
	now   Instant     // of the latest input; never goes backwards
	again Instant     // the same: if they differ, it is wrong

	journal *journal // of the records that changed, while a [Guard] reads it

	us      ourselves[ID, Addr]
	renewal renewal[ID]
	leaving leaving[ID]

	roster  *roster[ID, Addr]
	tally   [numTallies]int
	sized   sized
	doubts  doubts[ID, Addr]
	graves  heap // down and left members by when they are forgotten
	fallen  []fallen[ID]
	admit   window
	backlog backlog
	queue   payloads

	health health
	probe  probe[ID]
	relays []relay[ID]
	tasks  [numTimerKinds]task
	pause  pause

	audit   audit
	longest extremes

	view       view
	sync       syncing[ID]
	objections []uint32 // slots of what a member that we synchronise with should know
	summons    []ID     // suspects to be told, of whom we learnt by synchronising
	eager      eager
	liaison    liaison[ID]

	contacts contacts[ID]
	reading  reading[ID]
	asked    ledger[Addr] // whom we announced to, and how often in vain
	fed      ledger[Addr] // whom we answered with a feed, and when
	answered ledger[Addr] // whom we told what we know of members, and when
	warned   ledger[Addr] // whom we told that they are down or misled, and when

	todo  todo[ID]
	stats Stats

	in, out Packet[ID]
	buf     []byte
	key     []byte
	slots   []uint32
	sample  []uint32
	taken   []bool // which payloads a packet took
	fit     int    // how many updates a packet took lately
	scratch Update[ID]

	said    saying
	cells   []cell
	symbols []uint64
	peeler  peeler
	body    []byte
}

// New returns a core that knows nobody. Zero fields of the configuration mean
// their defaults; an invalid one is a [ConfigError], and an identity that the
// codec can not write is [ErrEncode]. The core is the only user of rnd.
func New[ID Identity[ID, Addr], Addr comparable](self ID, cfg Config, codec Codec[ID], rnd *rand.Rand) (*Core[ID, Addr], error) {
	return NewWithHandler(self, cfg, codec, rnd, nil)
}

// NewWithHandler is [New] for an owner who wants to broadcast payloads.
func NewWithHandler[ID Identity[ID, Addr], Addr comparable](self ID, cfg Config, codec Codec[ID], rnd *rand.Rand, handler BroadcastHandler[ID]) (*Core[ID, Addr], error) {
	cfg = cfg.WithDefaults()
	if err := validate(cfg, codec); err != nil {
		return nil, err
	}
	c := &Core[ID, Addr]{
		cfg:     cfg,
		codec:   codec,
		rnd:     rnd,
		handler: handler,
		limits:  LimitsOf(codec),
		roster:  newRoster[ID, Addr](),
		asked:   newLedger[Addr](),
		fed:     newLedger[Addr](),
		warned:  newLedger[Addr](),

		answered: newLedger[Addr](),
	}
	if !c.writable(self) {
		return nil, ErrEncode
	}
	c.us.take(self)
	c.view.again = c.view.mark()
	c.us.stand()
	c.longest.cover(&c.cfg)
	c.todo.refuted = never
	return c, nil
}

// enter begins an input.
func (c *Core[ID, Addr]) enter(rt Runtime[ID]) {
	if c.rt != nil {
		panic("swim: a Core was called from inside its own Runtime or BroadcastHandler; collect what it asks for, and call it again afterwards")
	}
	c.rt = rt
	now := rt.Now()
	if c.now != c.again {
		c.rewind(now)
	}
	c.tick(now)
}

// tick takes note of the time.
func (c *Core[ID, Addr]) tick(now Instant) {
	c.now = max(c.now, now)
	c.again = c.now
}

// exit ends an input, also if the owner's code panicked in it.
func (c *Core[ID, Addr]) exit() { c.rt = nil }

func (c *Core[ID, Addr]) notify(n Notification[ID]) {
	if planted == renameAsUp && n.Kind == NotifyRename {
		n.Kind = NotifyUp
	}
	c.rt.Notify(n)
}

func (c *Core[ID, Addr]) count(d Drop) { c.stats.Drops[d]++ }

// drop counts a reason and returns it as an error.
func (c *Core[ID, Addr]) drop(d Drop) error {
	c.count(d)
	return d
}

// Apply merges records from elsewhere: of another core, or saved earlier. With
// tell, what was new is gossiped. Records of members that are known go through
// the order of truth like any others; a Down about a member that we hold
// alive only accuses it. How long a record is still remembered counts, but never
// beyond Config.ForgetAfter.
//
// It returns [ErrFull] if some records found no room and [ErrMalformed] if
// some are none; the others are applied all the same.
func (c *Core[ID, Addr]) Apply(known iter.Seq[Update[ID]], tell bool, rt Runtime[ID]) error {
	c.enter(rt)
	defer c.exit()
	var err error
	for u := range known {
		if u.State >= numStates || u.Incarnation > c.limits.Incarnation || len(u.By) > MaxAccusers || !c.writable(u.ID) || !c.writable(u.By...) {
			err = ErrMalformed
			continue
		}
		full := c.stats.Drops[DropFull]
		c.scratch = u
		c.apply(&c.scratch, origin{owner: true, tell: tell})
		if c.stats.Drops[DropFull] != full {
			err = ErrFull
		}
	}
	c.settle()
	return err
}

// Configure puts new settings into force, or returns a [ConfigError] and
// keeps the old ones. Suspicions that run keep the deadlines they have, but
// each starts anew when Rules.AccuserDeadline is switched off, under which some
// have none.
func (c *Core[ID, Addr]) Configure(cfg Config, rt Runtime[ID]) error {
	c.enter(rt)
	defer c.exit()
	cfg = cfg.WithDefaults()
	if err := validate(cfg, c.codec); err != nil && planted != acceptAnyConfig {
		return err
	}
	old := c.cfg
	c.cfg = cfg
	c.longest.cover(&c.cfg)
	c.sized = sized{}
	c.dropLargePayloads()
	c.doubtOurselves(0) // at most so much
	if cfg.Rules.SilentRelay {
		c.forgetNacks()
	}
	if old.Rules.SilentDigest && !cfg.Rules.SilentDigest {
		c.stirAll()
	}
	if old.Rules.AccuserDeadline && !cfg.Rules.AccuserDeadline {
		c.doubtAnew()
	}
	if c.us.phase != connected {
		c.rearmContact()
		return nil
	}
	if cfg.Period != old.Period || cfg.RoundTrip != old.RoundTrip {
		c.probe.clear()
		c.disarm(TimerIndirect)
		c.arm(TimerProbe, c.stretched(c.cfg.Period))
	}
	if cfg.Announce.Every != old.Announce.Every {
		c.disarm(TimerAnnounce)
		c.armEvery(TimerAnnounce, c.cfg.Announce.Every)
	}
	if cfg.Gossip.Every != old.Gossip.Every {
		c.disarm(TimerGossip)
	}
	if cfg.AnnounceDown.Every != old.AnnounceDown.Every {
		c.rearmContact()
	}
	c.settle()
	return nil
}

// writable reports whether the codec can write identities. Whatever comes from
// a packet it can; what the owner gives us is checked, because one identity
// that can not be written would spoil every packet that names it.
func (c *Core[ID, Addr]) writable(ids ...ID) bool {
	for _, id := range ids {
		if c.buf = c.codec.AppendID(c.buf[:0], id); len(c.buf) == 0 {
			return false
		}
	}
	return true
}

// validate checks a configuration, also against what the codec needs.
func validate[ID any](cfg Config, codec Codec[ID]) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	return within("MaxPacket", cfg.MaxPacket, codec.MaxHeader()+codec.MaxUpdate(), maxDatagram)
}

// SetMetadata tells the others that what we say about ourselves has a new
// version. It must be higher than the last, else [ErrStaleVersion].
func (c *Core[ID, Addr]) SetMetadata(version uint64, rt Runtime[ID]) error {
	c.enter(rt)
	defer c.exit()
	if version <= c.us.meta {
		return ErrStaleVersion
	}
	c.us.meta = version
	c.view.known = false
	c.us.untold = c.size().transmissions
	c.settle()
	return nil
}

// settle ends an input that may have changed something: it takes the phase to
// where the number of active members says, sends what is due to others than
// the sender, and keeps the tasks going that have something to do.
func (c *Core[ID, Addr]) settle() {
	c.auditInTurn()
	switch {
	case c.us.phase == disconnected && c.roster.active.len() > 0:
		c.connect()
	case c.us.phase == connected && c.roster.active.len() == 0:
		c.idle()
	}
	c.renewIfAllowed()
	c.sendTodo()
	if c.us.phase != connected || c.cfg.Gossip.Every == Off {
		return
	}
	if !c.tasks[TimerGossip].armed && c.untold() {
		c.arm(TimerGossip, c.cfg.Gossip.Every)
	}
	c.hurry()
}

// connect begins to take part.
func (c *Core[ID, Addr]) connect() {
	c.us.phase = connected
	c.pause.heard = c.now
	c.notify(Notification[ID]{Kind: NotifyActive})
	c.startTasks()
}

// startTasks arms what runs while we are connected. The first probe comes at a
// random moment of a period, so that members that start together do not probe
// in step for ever.
func (c *Core[ID, Addr]) startTasks() {
	c.arm(TimerProbe, 1+time.Duration(below(c.rnd, uint64(c.cfg.Period))))
	if !c.tasks[TimerAnnounce].armed { // a feed may have asked for more already
		c.armEvery(TimerAnnounce, c.cfg.Announce.Every)
	}
	c.rearmContact()
}

// idle stops taking part, for want of others.
func (c *Core[ID, Addr]) idle() {
	c.us.phase = disconnected
	c.notify(Notification[ID]{Kind: NotifyIdle})
	c.stopTasks()
	c.rearmContact()
}

// stopTasks ends what runs while we are connected.
func (c *Core[ID, Addr]) stopTasks() {
	c.probe.clear()
	c.forgetNacks()
	for _, k := range [...]TimerKind{TimerIndirect, TimerNack, TimerProbe, TimerAnnounce, TimerGossip} {
		c.disarm(k)
	}
	c.eager.next = false
}

// A sized holds what follows from the number of members, worked out once for
// each number.
type sized struct {
	n             int
	transmissions int
	suspicion     time.Duration // how long a suspect may refute at the least
	spread        time.Duration // how long gossip takes to reach everybody
}

// size returns what follows from the number of members known now, ourselves
// included.
func (c *Core[ID, Addr]) size() *sized {
	n := c.roster.active.len() + 1
	if n == 1 {
		n = c.cfg.Members
	}
	if c.sized.n != n {
		round := c.cfg.Gossip.Every
		if round == Off {
			round = c.cfg.Period
		}
		c.sized = sized{
			n:             n,
			transmissions: c.cfg.Transmissions.at(n),
			suspicion:     suspicionTime(n, c.cfg.SuspicionFactor, c.cfg.Period),
			spread:        spreadTime(n, round),
		}
		if !c.cfg.Rules.LazyGossip && c.cfg.Gossip.Every != Off {
			c.sized.spread = max(c.sized.spread/eagerSpread, round)
		}
	}
	return &c.sized
}
