package swim

import "fmt"

// A State is what is believed about a member.
type State uint8

// The states, in the order in which each overrides the ones before it at one
// incarnation.
const (
	Alive   State = iota // it answers
	Suspect              // it does not answer, and may still refute that
	Down                 // it was declared dead
	Left                 // it said goodbye
)

// numStates is the number of states; a larger value is none.
const numStates = 4

var stateNames = [numStates]string{"alive", "suspect", "down", "left"}

// String returns the state in one lower-case word.
func (s State) String() string {
	if s < numStates {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Active reports whether a member in this state takes part: alive or suspect.
func (s State) Active() bool { return s <= Suspect }

// An Incarnation counts how often one life had to say that it is alive. It
// starts at 0 and only its owner raises it.
type Incarnation uint64

// A Member is an identity and the best state known of it.
type Member[ID any] struct {
	ID          ID
	Incarnation Incarnation
	State       State
	// Metadata is the version of what the member says about itself. It is
	// raised only by its owner, merged beside the state, and never changes
	// identity or incarnation.
	Metadata uint64
}

// Active reports whether the member takes part: alive or suspect.
func (m Member[ID]) Active() bool { return m.State.Active() }

// String returns "identity state incarnation".
func (m Member[ID]) String() string {
	if m.State == Left {
		return fmt.Sprintf("%v left", m.ID)
	}
	return fmt.Sprintf("%v %v %d", m.ID, m.State, m.Incarnation)
}

// compareTruth is the order of truth among the records of one identity:
//
//	alive(i) < suspect(i) < down(i) < alive(i+1) < … < left
//
// Merging is taking the larger.
func compareTruth(aInc Incarnation, a State, bInc Incarnation, b State) int {
	switch {
	case (a == Left || b == Left) && planted != leftIsNotFinal:
		return compareStates(a, b)
	case aInc != bInc:
		if aInc < bInc {
			return -1
		}
		return 1
	default:
		return compareStates(a, b)
	}
}

func compareStates(a, b State) int { return int(a) - int(b) }

// MaxAccusers is how many accusers a record names at most. It is one more
// than the confirmations that a suspicion waits for.
const MaxAccusers = 4

// An Update is the record of a member as it travels between members.
type Update[ID any] struct {
	Member[ID]
	// By names who accuses, for suspect and down members: distinct
	// addresses, at most [MaxAccusers].
	By []ID
	// Remaining says, in milliseconds, how long a down or left member is
	// still remembered. If zero, whoever learns of it decides. It counts through
	// [Core.Apply] and where members synchronise; in gossip it is ignored.
	Remaining uint32
	// Sent is set by [Codec.Append]: whether the update found room.
	Sent bool
}

// String returns the member and its accusers.
func (u Update[ID]) String() string {
	s := u.Member.String()
	for i, id := range u.By {
		if i == 0 {
			s += " by "
		} else {
			s += "+"
		}
		s += fmt.Sprint(id)
	}
	return s
}
