package swim

import "fmt"

// A Drop is a reason for ignoring something that arrived. It is a counter of
// [Stats], an error of [Core.HandleData], and what a test expects when nothing
// should happen.
type Drop uint8

// The reasons. What of a packet counted nevertheless is said at
// [Core.HandleData]; of those that concern one record, the rest of it.
const (
	DropMalformed    Drop = iota // the bytes are no packet
	DropTooBig                   // larger than Config.MaxReceive
	DropEcho                     // from our own address, or an Announce to it
	DropMisaddressed             // for somebody else, or for an earlier life of ours
	DropSelfRelay                // a relayed probe that names ourselves as its other end
	DropDownSender               // its sender is down, left, or does not have its address
	DropFull                     // Config.MaxMembers is reached; for an unknown suspect, MaxTombstones
	DropNewRate                  // too many new members within a second
	DropStaleAck                 // an ack or nack for a probe that is over, or not from whom we asked
	DropUnasked                  // a feed or diff that we did not ask for
	DropNoRelay                  // an ack for a relay that is not pending
	DropRelayRefused             // a ping-req for or from somebody we do not relay for
	DropRelayFull                // too many relays in flight
	DropRateLimited              // answered that address a moment ago
	DropTooLarge                 // the packet to send does not fit into the room that it may take
	DropStaleUndead              // told that an earlier incarnation of ours is down
	DropDefunct                  // we left or are down, and answer nothing; turn-undead while we leave
	DropNoHandler                // a payload, and no BroadcastHandler
	DropStaleTimer               // a timer event that was replaced, or never submitted
	DropOldNews                  // a record that we knew, or knew better
	DropOldIdentity              // a record of an identity that lost its address
	DropUnordered                // two identities of one address that do not supersede each other properly
	DropJump                     // a record about us, implausibly far above our incarnation
	DropUnknownField             // an optional field that we do not know
	numDrops
)

var dropNames = [numDrops]string{
	"malformed", "too-big", "echo", "misaddressed", "self-relay", "down-sender", "full", "new-rate",
	"stale-ack", "unasked", "no-relay", "relay-refused", "relay-full", "rate-limited", "too-large",
	"stale-undead", "defunct", "no-handler", "stale-timer", "old-news", "old-identity", "unordered",
	"jump", "unknown-field",
}

// NumDrops is the number of reasons.
const NumDrops = int(numDrops)

// String returns the reason in lower case, as metrics name it.
func (d Drop) String() string {
	if d < numDrops {
		return dropNames[d]
	}
	return fmt.Sprintf("Drop(%d)", uint8(d))
}

// Error makes a Drop an error.
func (d Drop) Error() string { return "swim: dropped: " + d.String() }
