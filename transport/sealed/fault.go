package sealed

// A Fault is a reason for not accepting a packet. Nothing has changed then but
// a counter.
type Fault uint8

// The reasons, in the order in which they are looked for.
const (
	FaultShort       Fault = iota // less than a packet without a payload
	FaultVersion                  // the first byte is not ours
	FaultCluster                  // meant for another cluster
	FaultKey                      // sealed under a key that we do not have
	FaultReplay                   // accepted before, or too old to tell
	FaultForged                   // changed on its way, or made by somebody without the key
	FaultLimited                  // too many new sessions at once: challenged
	FaultPayload                  // sealed by somebody with the key, but not what its channel carries
	FaultDestination              // meant for another address
	FaultSource                   // the session belongs to another address
	FaultUnknown                  // may be a recording: challenged
	FaultFull                     // too many sessions
	FaultChallenge                // a challenge to nothing that we sent lately, or the answer to none of ours
	numFaults
)

// NumFaults is the number of reasons.
const NumFaults = int(numFaults)

var faultNames = [NumFaults]string{
	"short", "version", "cluster", "key", "replay", "forged", "limited", "payload",
	"destination", "source", "unknown", "full", "challenge",
}

// String returns the reason in lower case, as metrics name it.
func (f Fault) String() string {
	if f < numFaults {
		return faultNames[f]
	}
	return "unknown-fault"
}

// Error makes a Fault an error.
func (f Fault) Error() string { return "sealed: refused: " + f.String() }
