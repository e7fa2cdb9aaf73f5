package swim

import (
	"fmt"
	"strings"
)

// A Message says what a packet asks of its receiver.
//
// A direct probe:
//
//	a --ping(i)-------------> b
//	a <-------------ack(i)--- b
//
// When the ack is overdue, a asks k others to try (here c):
//
//	a --ping-req(i, b)------> c --indirect-ping(i, a)--> b
//	a <--forwarded-ack(i, b)- c <--indirect-ack(i, a)--- b
//
// Either ack settles the probe. Neither: a suspects b. A helper that hears
// nothing from b says so before a judges, so that a knows that it is heard:
//
//	a <------------nack(i)--- c
//
// Joining, spreading, and what a member hears that is considered down:
//
//	a --announce------------> s      may I join?
//	a <---------------feed--- s      some of the active members
//	a --gossip--------------> b      nothing but updates
//	a --broadcast-----------> b      nothing but the owner's payloads
//	a --turn-undead---------> b      you are considered down
//
// Two members whose digests differ find out in what, at a cost that depends on
// the differences alone:
//
//	a --sync(i)-------------> b      cells of a sketch of whom a knows
//	a <------------diff(i)--- b      the records that a lacks, and which b lacks; or: more cells
//	a --records(i)----------> b      those, and where a knows better than b
type Message uint8

// The messages.
const (
	MessagePing         Message = 0
	MessageAck          Message = 1
	MessagePingReq      Message = 2
	MessageIndirectPing Message = 3
	MessageIndirectAck  Message = 4
	MessageForwardedAck Message = 5
	MessageAnnounce     Message = 6
	MessageNack         Message = 7
	MessageFeed         Message = 8
	MessageGossip       Message = 9
	MessageBroadcast    Message = 10
	MessageTurnUndead   Message = 11
	MessageSync         Message = 12
	MessageDiff         Message = 13
	MessageRecords      Message = 14
)

// numMessages bounds the values of Message.
const numMessages = 15

// A messageKind says what belongs to the packets of a message.
type messageKind struct {
	name                                      string
	number, about, updates, payloads, request bool
	answer                                    bool
}

var messageKinds = [numMessages]messageKind{
	MessagePing:         {name: "ping", number: true, updates: true, payloads: true, request: true},
	MessageAck:          {name: "ack", number: true, updates: true, payloads: true, answer: true},
	MessagePingReq:      {name: "ping-req", number: true, about: true, updates: true, payloads: true, request: true},
	MessageIndirectPing: {name: "indirect-ping", number: true, about: true, updates: true, payloads: true, request: true},
	MessageIndirectAck:  {name: "indirect-ack", number: true, about: true, updates: true, payloads: true, answer: true},
	MessageForwardedAck: {name: "forwarded-ack", number: true, about: true, updates: true, payloads: true, answer: true},
	MessageAnnounce:     {name: "announce", request: true},
	MessageNack:         {name: "nack", number: true, about: true, updates: true, payloads: true, answer: true},
	MessageFeed:         {name: "feed", updates: true, payloads: true, answer: true},
	MessageGossip:       {name: "gossip", updates: true, payloads: true},
	MessageBroadcast:    {name: "broadcast", payloads: true},
	MessageTurnUndead:   {name: "turn-undead", about: true, answer: true},
	MessageSync:         {name: "sync", number: true, payloads: true, request: true},
	MessageDiff:         {name: "diff", number: true, updates: true, payloads: true, answer: true},
	MessageRecords:      {name: "records", number: true, updates: true, answer: true},
}

// kind returns what belongs to the message; nothing does to an unknown one.
func (m Message) kind() messageKind {
	if m < numMessages {
		return messageKinds[m]
	}
	return messageKind{}
}

// Valid reports whether m is one of the messages.
func (m Message) Valid() bool { return m.kind().name != "" }

// HasNumber reports whether the header carries the number of a probe.
func (m Message) HasNumber() bool { return m.kind().number }

// HasAbout reports whether the header names a third identity.
func (m Message) HasAbout() bool { return m.kind().about }

// HasUpdates reports whether member updates may follow the header.
func (m Message) HasUpdates() bool { return m.kind().updates }

// hasPages reports whether the header may say from where on to list the members.
func (m Message) hasPages() bool { return m == MessageAnnounce || m == MessageFeed }

// hasDigest reports whether the header may sum up whom the sender knows.
func (m Message) hasDigest() bool { return m == MessagePing || m == MessageAck }

// HasPayloads reports whether payloads may follow: the owner's, or of a sync and
// a diff what the protocol itself says.
func (m Message) HasPayloads() bool { return m.kind().payloads }

// synced reports whether the updates that follow are what the sender knows, and
// not its news.
func (m Message) synced() bool {
	return m == MessageFeed || m == MessageDiff || m == MessageRecords
}

// synchronises reports whether the message belongs to a reconciliation.
func (m Message) synchronises() bool {
	return m == MessageSync || m == MessageDiff || m == MessageRecords
}

// String returns the message in lower case, as in the drawing above.
func (m Message) String() string {
	if m.Valid() {
		return m.kind().name
	}
	return fmt.Sprintf("Message(%d)", uint8(m))
}

// A Header opens every packet. It is an update about its sender, too.
type Header[ID any] struct {
	Src, Dst       ID
	SrcIncarnation Incarnation
	SrcMetadata    uint64 // version, see [Member]
	SrcState       State  // Alive, or Left of one that says goodbye
	Message        Message
	Number         uint32 // of the probe, where the message has one
	// NackAfter is, of a ping-req, after how many milliseconds without an ack of
	// the target the receiver should answer with a nack; 0 for never.
	NackAfter uint32
	// Page is, of an announce, which page of the receiver's list of active members
	// it asks for, from 1 on; 0 for a random sample. Of a feed it is which one it
	// is; 0 of a sample, and of a page that no other follows.
	Page uint32
	// Digest sums up, of a ping and an ack, whom the sender knows; zero if it does
	// not say.
	Digest Digest
	// About is a third identity: of ping-req, forwarded-ack and nack the target, of
	// indirect-ping and indirect-ack the asker, of turn-undead the newest one
	// known for the receiver's address.
	About ID
	// AboutIncarnation is the one at which the receiver of a turn-undead is
	// considered down.
	AboutIncarnation Incarnation
}

// String returns the message with its number and whom it is about.
func (h Header[ID]) String() string {
	var b strings.Builder
	b.WriteString(h.Message.String())
	if h.Message.HasNumber() {
		fmt.Fprintf(&b, " #%d", h.Number)
	}
	if h.Message == MessageTurnUndead {
		fmt.Fprintf(&b, " %v down %d", h.About, h.AboutIncarnation)
	} else if h.Message.HasAbout() {
		fmt.Fprintf(&b, " %v", h.About)
	}
	if h.SrcState == Left {
		b.WriteString(" (left)")
	}
	return b.String()
}

// A Packet is what travels: a header, updates about members, and the owner's
// payloads.
type Packet[ID any] struct {
	Header   Header[ID]
	Updates  []Update[ID]
	Payloads [][]byte
	// PadTo lengthens an announce with zeros to this many bytes, so that its
	// answer may be as long. Parse leaves it 0.
	PadTo int
	// Unknown counts the optional fields that Parse skipped.
	Unknown int
	// Accusers is the memory behind the By of the updates.
	Accusers []ID

	scratch []byte // memory of Parse; means nothing between calls
}

// Reset empties the packet and keeps its memory.
func (p *Packet[ID]) Reset() {
	*p = Packet[ID]{
		Updates:  p.Updates[:0],
		Payloads: p.Payloads[:0],
		Accusers: p.Accusers[:0],
		scratch:  p.scratch,
	}
}

// String returns the header and the updates in brackets.
func (p *Packet[ID]) String() string {
	var b strings.Builder
	b.WriteString(p.Header.String())
	if len(p.Updates) > 0 {
		b.WriteString(" [")
		for i, u := range p.Updates {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(u.String())
		}
		b.WriteByte(']')
	}
	var s saying
	switch n := len(p.Payloads); {
	case n == 1 && p.Header.Message.synchronises() && s.parse(p.Header.Message, p.Payloads[0]):
		b.WriteByte(' ')
		b.WriteString(s.String())
	case n > 0:
		fmt.Fprintf(&b, " +%d payloads", n)
	}
	return b.String()
}
