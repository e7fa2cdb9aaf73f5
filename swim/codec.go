package swim

// A Codec turns whole packets into bytes and back. It keeps no state and
// nothing that it is handed.
//
// For everything valid, parsing what was appended gives the packet back, and
// appending what was parsed gives the bytes back, unless they held unknown
// optional fields or padding. Package swimtest checks these laws.
type Codec[ID any] interface {
	// Append appends the packet to b in at most room bytes. The header and
	// all payloads must fit, else it returns b as it was and an error. Of the
	// updates it writes those that fit, in order, skipping larger ones for
	// smaller ones that follow, and sets Sent in each.
	Append(b []byte, room int, p *Packet[ID]) ([]byte, error)

	// Parse empties p, and fills it from a packet: all of it or, with an
	// error, nothing that may be used. Payloads point into data. It never
	// panics and never allocates by a length that the data declare.
	Parse(data []byte, p *Packet[ID]) error

	// AppendID appends the canonical bytes of an identity: equal for equal
	// identities at every member, different for different ones, and the
	// address first, so that the lives of one address sort together. It
	// appends nothing for an identity that can not be written.
	AppendID(b []byte, id ID) []byte

	// MaxHeader is the most bytes that a packet takes besides its updates and
	// the bytes of a single payload.
	MaxHeader() int

	// MaxUpdate is the most bytes that one update takes.
	MaxUpdate() int
}
