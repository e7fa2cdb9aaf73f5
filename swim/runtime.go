package swim

import (
	"cmp"
	"fmt"
	"time"
)

// An Instant is a moment in nanoseconds since an origin that the driver
// chose. It is never compared with the wall clock.
type Instant int64

// Add returns the instant d later, and the last one there is if that is
// later than can be said.
func (t Instant) Add(d time.Duration) Instant {
	sum := t + Instant(d)
	if d > 0 && sum < t {
		return 1<<63 - 1
	}
	return sum
}

// Sub returns the time from u to t.
func (t Instant) Sub(u Instant) time.Duration { return time.Duration(t - u) }

// String returns the instant in seconds since the origin.
func (t Instant) String() string {
	return fmt.Sprintf("%.3fs", time.Duration(t).Seconds())
}

// A Runtime carries out what a [Core] decides, and tells it the time. It is
// the core's only gateway to the real world.
//
// What a method is handed is valid only during the call. No method may call
// the core.
type Runtime[ID any] interface {
	// Now is the monotonic time, not negative. A core asks once per input.
	Now() Instant
	// SendTo sends a packet, which may get lost.
	SendTo(to ID, packet []byte)
	// SubmitAfter hands event back to [Core.HandleTimer] after that time.
	SubmitAfter(event Timer[ID], after time.Duration)
	// Notify tells the owner something that they may want to know.
	Notify(n Notification[ID])
}

// A TimerKind says which task of a core an event belongs to.
type TimerKind uint8

// The kinds, in the order in which events that are due together are handled.
const (
	TimerIndirect     TimerKind = iota // the ack is overdue: ask others
	TimerNack                          // no ack for somebody else's probe: say so
	TimerProbe                         // judge this probe, start the next
	TimerSuspicion                     // the time to refute is over
	TimerAnnounce                      // announce to some active members
	TimerAnnounceDown                  // announce to the lost
	TimerGossip                        // spread what there is to tell
	TimerForget                        // stop remembering those long gone
)

// numTimerKinds bounds the values of TimerKind.
const numTimerKinds = 8

var timerNames = [numTimerKinds]string{"indirect", "nack", "probe", "suspicion", "announce", "announce-down", "gossip", "forget"}

// String returns the kind in lower case.
func (k TimerKind) String() string {
	if k < numTimerKinds {
		return timerNames[k]
	}
	return fmt.Sprintf("TimerKind(%d)", uint8(k))
}

// A Timer is an event that a core wants to get back after a time. It acts only
// if it is the outstanding one of its task and its time has come; early, twice
// or made up is harmless, and late shows the core that it stood still. One
// that never comes is submitted again after a few periods (rule 111).
type Timer[ID any] struct {
	Kind  TimerKind
	Token uint32 // which event of the task
	ID    ID     // whose, if the task is about one member
}

// Compare says which of two events that are due at one instant comes first.
func (t Timer[ID]) Compare(u Timer[ID]) int { return cmp.Compare(t.Kind, u.Kind) }

// String returns the kind, and whom it is about.
func (t Timer[ID]) String() string {
	if t.Kind == TimerSuspicion {
		return fmt.Sprintf("%v of %v", t.Kind, t.ID)
	}
	return t.Kind.String()
}

// A NotificationKind says what a [Notification] is about.
type NotificationKind uint8

// The kinds. Those from NotifySuspect on are sent only if [Config] asks for
// them.
const (
	NotifyUp       NotificationKind = iota // Member takes part
	NotifyDown                             // Member no longer does; State is Down or Left, Cause says why
	NotifyRename                           // Member took the address over from Old; both active
	NotifyActive                           // we are no longer alone
	NotifyIdle                             // we are alone
	NotifyDefunct                          // we left, or are down and can not renew: Member is us
	NotifyRejoin                           // we were declared down and go on as Member; before we were Old
	NotifyConflict                         // somebody else uses our address: Member is us, Old what they claimed

	NotifySuspect     // Member is doubted; Cause says by whom; after its NotifyUp if it is new
	NotifyUpdated     // Member, which was active, refuted, or its metadata is newer
	NotifyReceived    // a packet was received from Member, as its header says
	NotifySent        // a packet was sent to Member
	NotifyProbeFailed // Member did not answer probe Number
)

const numNotificationKinds = 13

var notificationNames = [numNotificationKinds]string{
	"up", "down", "rename", "active", "idle", "defunct", "rejoin", "conflict",
	"suspect", "updated", "received", "sent", "probe-failed",
}

// String returns the kind in lower case.
func (k NotificationKind) String() string {
	if k < numNotificationKinds {
		return notificationNames[k]
	}
	return fmt.Sprintf("NotificationKind(%d)", uint8(k))
}

// A Notification tells the owner what happened.
type Notification[ID any] struct {
	Kind    NotificationKind
	Message Message // of NotifyReceived and NotifySent
	Number  uint32  // of the probe, with NotifyProbeFailed
	Member  Member[ID]
	Old     ID
	Cause   Cause[ID] // with NotifyDown and NotifySuspect
}

// A Cause says why a member is doubted or down.
type Cause[ID any] struct {
	Accuser   ID      // who accused first, as far as we know; zero if nobody did
	Confirmed uint8   // how many others accused it too
	Gossiped  bool    // we were told; false: our own probe or deadline decided
	LastHeard Instant // when a packet from the member last reached us; 0 if never
}

// String returns the notification as one line.
func (n Notification[ID]) String() string {
	switch n.Kind {
	case NotifyActive, NotifyIdle:
		return n.Kind.String()
	case NotifyRename, NotifyRejoin, NotifyConflict:
		return fmt.Sprintf("%v %v (was %v)", n.Kind, n.Member.ID, n.Old)
	case NotifyReceived, NotifySent:
		return fmt.Sprintf("%v %v %v", n.Kind, n.Message, n.Member.ID)
	case NotifyProbeFailed:
		return fmt.Sprintf("%v #%d %v", n.Kind, n.Number, n.Member.ID)
	case NotifyDown:
		if n.Member.State == Left {
			return fmt.Sprintf("left %v", n.Member.ID)
		}
		return fmt.Sprintf("%v %v%v", n.Kind, n.Member.ID, n.Cause)
	case NotifySuspect:
		return fmt.Sprintf("%v %v%v", n.Kind, n.Member.ID, n.Cause)
	default:
		return fmt.Sprintf("%v %v", n.Kind, n.Member.ID)
	}
}

// String returns the cause, ready to follow a name.
func (c Cause[ID]) String() string {
	how := "own deadline"
	if c.Gossiped {
		how = "told"
	}
	return fmt.Sprintf(" (accused by %v, %d confirmed, %s)", c.Accuser, c.Confirmed, how)
}
