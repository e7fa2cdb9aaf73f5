package foca

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"

	"github.com/selkie-go/selkie/swim"
)

// Bincode returns foca's format with the identity of its example agent,
// {addr: SocketAddr, bump: u64}. The bump is the generation of an [swim.ID].
// Zones do not travel, so an identity that has one can not be written.
//
// Append may make b longer than room for a moment. It allocates nothing if
// what it returned is handed back as b, emptied.
func Bincode() swim.Codec[swim.ID] { return Codec(appendID, parseID, maxID) }

// The integers of bincode. The last two values of a byte mean nothing here.
const (
	follow16 = 251 // and all below are values themselves
	follow32 = 252
	follow64 = 253

	lenNumber16 = 1 + 2
	lenNumber64 = 1 + 8
)

const (
	socketV4 = 0
	socketV6 = 1

	maxID = 1 + 16 + lenNumber16 + lenNumber64
)

// appendNumber appends an integer.
func appendNumber(b []byte, v uint64) []byte {
	switch {
	case v < follow16:
		return append(b, byte(v))
	case v <= math.MaxUint16:
		return binary.LittleEndian.AppendUint16(append(b, follow16), uint16(v))
	case v <= math.MaxUint32:
		return binary.LittleEndian.AppendUint32(append(b, follow32), uint32(v))
	default:
		return binary.LittleEndian.AppendUint64(append(b, follow64), v)
	}
}

// A reader takes bytes off the front of a packet. Once it failed, all it
// returns is zero, so a caller needs to look only before it acts on what it
// read, or repeats.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) fail() {
	r.rest, r.failed = nil, true
}

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.fail()
		return nil
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail()
		return 0
	}
	c := r.rest[0]
	r.rest = r.rest[1:]
	return c
}

// number reads an integer of at most max, written as short as can be.
func (r *reader) number(max uint64) uint64 {
	v := uint64(r.byte())
	if v >= follow16 {
		v = r.following(v)
	}
	if v > max {
		r.fail()
		return 0
	}
	return v
}

// following reads the integer that a first byte announces.
func (r *reader) following(first uint64) uint64 {
	v, least := uint64(0), uint64(0)
	switch first {
	case follow16:
		if b := r.take(2); b != nil {
			v, least = uint64(binary.LittleEndian.Uint16(b)), follow16
		}
	case follow32:
		if b := r.take(4); b != nil {
			v, least = uint64(binary.LittleEndian.Uint32(b)), 1<<16
		}
	case follow64:
		if b := r.take(8); b != nil {
			v, least = binary.LittleEndian.Uint64(b), 1<<32
		}
	default:
		r.fail()
	}
	if v < least {
		r.fail()
		return 0
	}
	return v
}

// appendID appends an identity of the example agent: the address first, which
// is what [swim.Codec.AppendID] wants too.
func appendID(b []byte, id swim.ID) []byte {
	at := id.Addr().AddrPort()
	ip := at.Addr()
	switch {
	case at.Port() == 0 || ip.Zone() != "":
		return b
	case ip.Is4():
		octets := ip.As4()
		b = append(append(b, socketV4), octets[:]...)
	default:
		octets := ip.As16()
		b = append(append(b, socketV6), octets[:]...)
	}
	b = appendNumber(b, uint64(at.Port()))
	return appendNumber(b, id.Generation())
}

var errNoMember = errors.New("foca: not the identity of a member")

// parseID reads an identity of the example agent off the front of data.
func parseID(data []byte) (id swim.ID, n int, err error) {
	r := reader{rest: data}
	ip := r.ip()
	port := uint16(r.number(math.MaxUint16))
	bump := r.number(math.MaxUint64)
	if r.failed || port == 0 || !isHost(ip) {
		return swim.ID{}, 0, errNoMember
	}
	id, err = swim.NewID(netip.AddrPortFrom(ip, port), bump)
	return id, len(data) - len(r.rest), err
}

// ip reads the variant and the octets of an address.
func (r *reader) ip() netip.Addr {
	if r.number(socketV6) == socketV4 {
		if octets := r.take(4); octets != nil {
			return netip.AddrFrom4([4]byte(octets))
		}
	} else if octets := r.take(16); octets != nil {
		return netip.AddrFrom16([16]byte(octets))
	}
	return netip.Addr{}
}

// isHost reports whether a member can have the address, and whether it is
// written like this. [swim.NewID] asks the first too, but takes memory to say
// what is wrong, which is too much for what anybody may send.
func isHost(ip netip.Addr) bool {
	if ip.Is4() && ip.As4()[0] >= 240 {
		return false // reserved, with the broadcast address
	}
	return !ip.IsUnspecified() && !ip.IsMulticast() && !ip.Is4In6()
}
