package swim

// Stats are the counters and sizes of a core, by value. Counters only grow.
type Stats struct {
	// Drops counts what was ignored, by reason.
	Drops [NumDrops]uint64
	// Sent and Received count packets by message; Received those that were
	// understood.
	Sent, Received [numMessages]uint64

	Probes        uint64 // started
	ProbesFailed  uint64 // nobody answered in time
	ProbesVoid    uint64 // not judged: a pause, events out of order, or a renewal that waits
	Refutations   uint64 // how often we had to raise our incarnation
	Renewals      uint64 // how often we took a new identity by ourselves
	Conflicts     uint64 // somebody else spoke for us
	LoneVerdicts  uint64 // deadlines that passed with fewer than two accusers
	Pauses        uint64 // how often we stood still
	Deaf          uint64 // how often a verdict was put off because we heard nobody
	Mended        uint64 // what could not be true and was mended: memory fails here
	Evicted       uint64 // tombstones forgotten early
	PayloadsLost  uint64 // payloads that no longer fit after a change of configuration
	EncodeErrors  uint64 // packets that the codec could not write
	HandlerErrors uint64 // errors of the owner's BroadcastHandler

	Alive, Suspect, Lone, Down, Left int // members by state; a lone one is not counted as a suspect
	Health                           int // how much we doubt ourselves: 0 not at all, at most Config.MaxHealth
	Backlog                          int // updates still being told
	Broadcasts                       int // payloads still being told
	Relays                           int // probes in flight for others
}
