package selkie

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/selkie-go/selkie/swim"
)

// A letter is what one node has to say to another beside the protocol:
//
//	kind 1 | from | to | body
//
// where an identity is the length of an address in a byte, the address and port
// as netip writes them, and 8 bytes of generation. In a datagram it is the
// payload of channelLetters.
type letter struct {
	kind     letterKind
	from, to ID
	body     []byte
}

type letterKind uint8

const (
	letterPing    letterKind = iota + 1 // 8 bytes, to be sent back
	letterPong                          // the same 8 bytes
	letterMessage                       // a payload for the owner
	letterAsk                           // the descriptions of whom are wanted: see ask
	letterTell                          // descriptions: see tell
	letterPacket                        // a packet of the protocol, over a stream
	letterDone                          // what a stream was for is done
	numLetterKinds
)

var errLetter = errors.New("selkie: not a letter of a node")

// appendLetter appends a letter up to its body.
func appendLetter(b []byte, kind letterKind, from, to ID) []byte {
	return appendID(appendID(append(b, byte(kind)), from), to)
}

func appendID(b []byte, id ID) []byte {
	at, err := id.Addr().AddrPort().MarshalBinary()
	if err != nil {
		panic(err) // it never fails
	}
	b = append(append(b, byte(len(at))), at...)
	return binary.BigEndian.AppendUint64(b, id.Generation())
}

// readID cuts an identity off.
func readID(b []byte) (id ID, rest []byte, ok bool) {
	addr, rest, ok := cutShort(b)
	var at netip.AddrPort
	if !ok || len(rest) < 8 || at.UnmarshalBinary(addr) != nil {
		return id, nil, false
	}
	id, err := swim.NewID(at, binary.BigEndian.Uint64(rest))
	return id, rest[8:], err == nil
}

// readLetter reads a letter. The body points into b.
func readLetter(b []byte) (l letter, ok bool) {
	if len(b) == 0 || letterKind(b[0]) == 0 || letterKind(b[0]) >= numLetterKinds {
		return l, false
	}
	l.kind = letterKind(b[0])
	if l.from, b, ok = readID(b[1:]); !ok {
		return l, false
	}
	l.to, l.body, ok = readID(b)
	return l, ok
}

// post sends a letter in a datagram. It runs in run.
func (n *Node) post(kind letterKind, to ID, body []byte) {
	if n.wire == WireFoca {
		return
	}
	n.letters = append(appendLetter(n.letters[:0], kind, n.core.Self().ID, to), body...)
	n.transmit(to, channelLetters, n.letters)
}

// letterRoom is the most bytes that the body of a letter in a datagram has.
func (n *Node) letterRoom() int { return n.core.Config().MaxPacket - maxLetterHeader }

// maxLetterHeader is the most bytes that a letter has beside its body: two IPv6
// addresses with zones.
const maxLetterHeader = 1 + 2*(1+18+16+8)

// receive handles a letter that came in a datagram. Only active members are
// listened to. It runs in run.
func (n *Node) receive(payload []byte) error {
	l, ok := readLetter(payload)
	if !ok {
		return errLetter
	}
	if l.to != n.core.Self().ID || !n.isActive(l.from) {
		return ErrNotMember
	}
	switch l.kind {
	case letterPing:
		if len(l.body) == 8 {
			n.post(letterPong, l.from, l.body)
		}
	case letterPong:
		n.pings.answered(l)
	case letterMessage:
		n.messages.receive(l)
	case letterAsk:
		return n.tell(l)
	case letterTell:
		return n.hear(l.from, l.body)
	}
	return nil
}

// isActive reports whether a life is an active member.
func (n *Node) isActive(id ID) bool {
	m, ok := n.core.Member(id.Addr())
	return ok && m.ID == id && m.Active()
}
