package swim

// A BroadcastHandler is the owner's side of custom broadcasts: payloads that
// travel beside the updates until everybody has them. No method may call the
// core.
type BroadcastHandler[ID any] interface {
	// Receive is given every payload: with our own identity those of
	// [Core.AddBroadcast], with the sender's those that arrived. The item is
	// valid only during the call. If spread is true, the payload is told to
	// others under the key; an error is returned to whoever fed the core, and
	// concerns this payload alone.
	Receive(item []byte, from ID) (key Key, spread bool, err error)
	// Wants reports whether a member should be sent payloads at all.
	Wants(to Member[ID]) bool
}

// A Key says which payloads replace each other: of two with the same Name
// only the one with the higher Version is still told.
type Key struct {
	Name    string
	Version uint64
}
