package swim

import (
	"fmt"
	"time"
)

// Off, as the Every of a [Task] or as a count, switches a thing off. Zero
// would mean its default.
const Off = -1

// A Task is something that a core does every so often towards some members.
type Task struct {
	Every time.Duration // [Off] switches the task off
	Num   int           // how many members each time
}

// A LogBase is the base of the logarithm in a [Scale].
type LogBase uint8

// The bases.
const (
	Base10 LogBase = iota
	BaseE
)

// A Scale grows with the logarithm of the number of members n:
// Factor·ceil(log(n+1)), but never below Least.
type Scale struct {
	Factor int
	Base   LogBase
	Least  int
}

// Rules switches departures from the paper off, each alone. The zero value
// has all of them on; [Paper] has all of them off.
type Rules struct {
	// FinalDown lets Down override everything about its identity, whatever
	// the incarnation. Otherwise its owner decides: a member that had refuted
	// before it heard the verdict comes back.
	FinalDown bool
	// SoleVerdict lets a single accuser have a member declared down, and
	// applies a Down that is heard at once. Otherwise a verdict needs two
	// accusers and our own deadline.
	SoleVerdict bool
	// AccuserDeadline runs the deadline of a suspicion only at those whose
	// own probe failed. Otherwise everybody who holds it does.
	AccuserDeadline bool
	// SilentSuspicion leaves it to gossip to tell a suspect about the
	// suspicion, and judges it although it answers. Otherwise every packet to
	// a suspect that is no ping carries the suspicion, one goes out for its
	// sake alone, and a suspect that answered is not judged.
	SilentSuspicion bool
	// SilentPing leaves the suspicion out of pings too, our own and those on
	// behalf of others, unless it is news anyway. Otherwise a ping to a suspect
	// carries it: Lifeguard's buddy system.
	SilentPing bool
	// SilentRelay neither asks for nacks nor sends any, so that a failed probe
	// always makes us doubt ourselves. Otherwise a relay that hears nothing
	// from the target says that it is there itself.
	SilentRelay bool
	// SilentDigest says nothing in pings and acks of whom we know, and
	// reconciles with nobody; then feeds repair what gossip lost. Otherwise
	// members whose digests differ find out in what.
	SilentDigest bool
	// LazyGossip lets news wait for the next round of gossip. Otherwise those who
	// hear them pass them on almost at once, to more members.
	LazyGossip bool
}

// Notify asks for notifications that most owners do not want.
type Notify struct {
	Suspect     bool // NotifySuspect
	Updated     bool // NotifyUpdated
	Received    bool // NotifyReceived
	Sent        bool // NotifySent
	ProbeFailed bool // NotifyProbeFailed
}

// A Config says how a core behaves. It is plain data; the zero value of a
// field means its default, which is that of [LAN].
type Config struct {
	// Period is how often one member is probed. If zero, 1 second.
	//
	// Detection time grows with it, load shrinks with it. RoundTrip takes at
	// most three quarters of it: the rest is for the indirect probe.
	Period time.Duration
	// RoundTrip is how long a direct probe waits for its ack before others
	// are asked. If zero, half the Period; at most three quarters of it.
	RoundTrip time.Duration
	// IndirectProbes is how many members are asked then: SWIM's k. If zero,
	// 3; at most 16; [Off] for nobody.
	IndirectProbes int

	// Gossip spreads what there is to tell beyond what probes carry. Nothing
	// is sent while there is nothing to tell. If zero, 3 every 200 ms.
	Gossip Task
	// Announce asks active members for a feed, which repairs what gossip
	// lost, and again within a Period while feeds name somebody unknown. Where
	// digests are compared, they do that, and it rests. If zero, 1 every 30 s.
	Announce Task
	// AnnounceDown contacts the lost: members that are down or have a lone
	// verdict, seeds that are not active, and addresses whose Announce was not
	// answered. It heals partitions. If zero, 2 every 65 s.
	AnnounceDown Task

	// SuspicionFactor times max(1, log10 n) periods is how long a suspect
	// may refute at the least: Lifeguard's alpha. If zero, 4.
	SuspicionFactor int
	// MaxSuspicion times as long it may refute while a single member accuses
	// it: Lifeguard's beta. If zero, 6; at most 100; 1 makes all suspicions
	// equally long.
	MaxSuspicion int
	// Confirmations is how many members besides the first have to accuse a
	// suspect to leave it the least time: Lifeguard's K. Fewer are enough where
	// there are not as many members. If zero, 3, which is the most; [Off] leaves
	// everybody the least time.
	Confirmations int
	// MaxHealth is how much the core may doubt itself: its probes wait up to
	// so many times longer, and one. Lifeguard's S. If zero, 8; at most 64;
	// [Off] for never.
	MaxHealth int
	// Transmissions is how often each update is told. If its Factor is zero,
	// 3·ceil(log10(n+1)), at least 4; without digests, which find out what that
	// missed, 4·ceil(log10(n+1)). At most [MaxTransmissions] count. With digests
	// suspicions are told less often, and payloads, which nothing else repairs,
	// more often by a third.
	Transmissions Scale
	// Members is how many members to reckon with as long as none is known. If
	// zero, 1.
	Members int

	// ForgetAfter is how long a down or left member, or one with a lone
	// verdict, is remembered. If zero, 24 hours.
	ForgetAfter time.Duration
	// LeaveTimeout bounds how long a leaving member waits for others to have
	// heard. If zero, 5 seconds.
	LeaveTimeout time.Duration
	// StallLimit is how late a timer event may come before the core takes
	// itself for the one that stood still. If zero, a quarter of the Period;
	// [Off] for never.
	StallLimit time.Duration
	// DeafLimit is how long no packet may reach the core before it takes itself
	// for the one without a connection, and gives no verdict for the longest
	// time that a suspicion lasts. If zero, 5 periods, at least 3 seconds;
	// [Off] for never.
	DeafLimit time.Duration

	// MaxPacket bounds the bytes of a packet that is sent, less what the
	// transport adds. If zero, 1,400.
	MaxPacket int
	// MaxReceive bounds the bytes of a packet that is accepted. If zero,
	// 65,507.
	MaxReceive int
	// MaxMembers bounds the members that are remembered, not counting those
	// that are down or left. If zero, 100,000.
	MaxMembers int
	// MaxTombstones bounds the down and left members that are remembered;
	// beyond it the one that would be forgotten first is, and unknown members
	// that somebody suspects are not accepted. If zero, 100,000.
	MaxTombstones int
	// MaxNewMembers bounds the unknown members that are accepted within a
	// second, down and left ones too; those of a feed that we asked for and of
	// Apply are not counted. If zero, 10,000.
	MaxNewMembers int
	// MaxRelays bounds the probes relayed for others at one time; beyond it
	// the oldest makes way. If zero, 256; each asker may have a sixteenth of
	// them, at least 8.
	MaxRelays int
	// MaxBroadcasts bounds the payloads that wait to be told. If zero, 1,024.
	MaxBroadcasts int

	// Rules switches departures from the paper off.
	Rules Rules
	// Notify asks for more notifications.
	Notify Notify
}

// MaxTransmissions is the most often that one update is told, whatever
// [Config.Transmissions] gives.
const MaxTransmissions = 63

// maxIndirect bounds Config.IndirectProbes, maxHealth Config.MaxHealth.
const (
	maxIndirect = 16
	maxHealth   = 64
)

// maxDatagram is the largest payload of a UDP datagram over IPv4.
const maxDatagram = 65507

// Paper returns the protocol of the 2002 paper, with every extension off that
// can be, for reading one against the other, and for experiments. Goodbyes and
// renewed identities remain.
func Paper() Config {
	return Config{
		Period:         1500 * time.Millisecond,
		RoundTrip:      500 * time.Millisecond,
		IndirectProbes: 3,
		Gossip:         Task{Every: Off},
		Announce:       Task{Every: Off},
		AnnounceDown:   Task{Every: Off},
		Transmissions:  Scale{Factor: 3, Base: BaseE, Least: 3},
		Confirmations:  Off,
		MaxHealth:      Off,
		StallLimit:     Off,
		DeafLimit:      Off,
		Rules: Rules{FinalDown: true, SoleVerdict: true, AccuserDeadline: true, SilentSuspicion: true,
			SilentPing: true, SilentRelay: true, SilentDigest: true, LazyGossip: true},
	}.WithDefaults()
}

// LAN returns the settings for n members within one data centre.
func LAN(n int) Config { return Config{Members: n}.WithDefaults() }

// WAN returns the settings for n members across the world.
func WAN(n int) Config {
	return Config{
		Period:          5 * time.Second,
		RoundTrip:       3 * time.Second,
		Gossip:          Task{Every: 500 * time.Millisecond, Num: 4},
		Announce:        Task{Every: time.Minute, Num: 2},
		AnnounceDown:    Task{Every: 125 * time.Second, Num: 3},
		SuspicionFactor: 6,
		Members:         n,
	}.WithDefaults()
}

// Local returns the settings for tests and demonstrations on one machine.
func Local() Config {
	return Config{
		Period:       200 * time.Millisecond,
		RoundTrip:    50 * time.Millisecond,
		Gossip:       Task{Every: 50 * time.Millisecond, Num: 3},
		LeaveTimeout: time.Second,
	}.WithDefaults()
}

// orDefault sets *field to its default if it is zero.
func orDefault[T comparable](field *T, def T) {
	var zero T
	if *field == zero {
		*field = def
	}
}

// WithDefaults returns the configuration with every zero field set to what it
// means.
func (c Config) WithDefaults() Config {
	orDefault(&c.Period, time.Second)
	orDefault(&c.RoundTrip, c.Period/2)
	orDefault(&c.IndirectProbes, 3)
	orDefault(&c.Gossip.Every, 200*time.Millisecond)
	orDefault(&c.Gossip.Num, 3)
	orDefault(&c.Announce.Every, 30*time.Second)
	orDefault(&c.Announce.Num, 1)
	orDefault(&c.AnnounceDown.Every, 65*time.Second)
	orDefault(&c.AnnounceDown.Num, 2)
	orDefault(&c.SuspicionFactor, 4)
	orDefault(&c.MaxSuspicion, 6)
	orDefault(&c.Confirmations, MaxAccusers-1)
	orDefault(&c.MaxHealth, 8)
	if c.Transmissions.Factor == 0 {
		c.Transmissions = Scale{Factor: 3, Least: 4}
		if c.Rules.SilentDigest {
			c.Transmissions.Factor = 4
		}
	}
	orDefault(&c.Members, 1)
	orDefault(&c.ForgetAfter, 24*time.Hour)
	orDefault(&c.LeaveTimeout, 5*time.Second)
	orDefault(&c.StallLimit, c.Period/4)
	orDefault(&c.DeafLimit, min(max(5*c.Period, 3*time.Second), 24*time.Hour))
	orDefault(&c.MaxPacket, 1400)
	orDefault(&c.MaxReceive, maxDatagram)
	orDefault(&c.MaxMembers, 100_000)
	orDefault(&c.MaxTombstones, 100_000)
	orDefault(&c.MaxNewMembers, 10_000)
	orDefault(&c.MaxRelays, 256)
	orDefault(&c.MaxBroadcasts, 1024)
	return c
}

// Validate reports the first field that is out of its range, as a
// [ConfigError]. Zero fields count as their defaults.
func (c Config) Validate() error {
	c = c.WithDefaults()
	const day = 24 * time.Hour
	for _, check := range []error{
		within("Period", c.Period, time.Millisecond, day),
		within("RoundTrip", c.RoundTrip, 100*time.Microsecond, c.Period/4*3),
		countOrOff("IndirectProbes", c.IndirectProbes, maxIndirect),
		periodic("Gossip", c.Gossip),
		periodic("Announce", c.Announce),
		periodic("AnnounceDown", c.AnnounceDown),
		within("SuspicionFactor", c.SuspicionFactor, 1, 1000),
		within("MaxSuspicion", c.MaxSuspicion, 1, 100),
		countOrOff("Confirmations", c.Confirmations, MaxAccusers-1),
		countOrOff("MaxHealth", c.MaxHealth, maxHealth),
		within("Transmissions.Factor", c.Transmissions.Factor, 1, MaxTransmissions),
		within("Transmissions.Base", c.Transmissions.Base, Base10, BaseE),
		within("Transmissions.Least", c.Transmissions.Least, 0, MaxTransmissions),
		within("Members", c.Members, 1, 1<<30),
		within("ForgetAfter", c.ForgetAfter, c.Period, 45*day),
		within("LeaveTimeout", c.LeaveTimeout, time.Millisecond, day),
		within("MaxPacket", c.MaxPacket, 64, maxDatagram),
		within("MaxReceive", c.MaxReceive, 64, maxDatagram),
		within("MaxMembers", c.MaxMembers, 1, 1<<30),
		within("MaxTombstones", c.MaxTombstones, 1, 1<<30),
		within("MaxNewMembers", c.MaxNewMembers, 1, 1<<30),
		within("MaxRelays", c.MaxRelays, 1, 1<<16),
		within("MaxBroadcasts", c.MaxBroadcasts, 1, 1<<20),
	} {
		if check != nil {
			return check
		}
	}
	if err := timeOrOff("StallLimit", c.StallLimit, 100*time.Microsecond); err != nil {
		return err
	}
	return timeOrOff("DeafLimit", c.DeafLimit, time.Millisecond)
}

func within[T int | time.Duration | LogBase](field string, value, least, most T) error {
	if value < least || value > most {
		return &ConfigError{field, fmt.Sprintf("from %v to %v, not %v", least, most, value)}
	}
	return nil
}

func timeOrOff(field string, value, least time.Duration) error {
	if value == Off {
		return nil
	}
	return within(field, value, least, 24*time.Hour)
}

func countOrOff(field string, value, most int) error {
	if value != Off && (value < 1 || value > most) {
		return &ConfigError{field, fmt.Sprintf("from 1 to %d, or Off, not %d", most, value)}
	}
	return nil
}

func periodic(field string, t Task) error {
	if t.Every == Off {
		return nil
	}
	if err := within(field+".Every", t.Every, time.Millisecond, 24*time.Hour); err != nil {
		return err
	}
	return within(field+".Num", t.Num, 1, 64)
}
