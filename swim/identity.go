package swim

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
)

// An Identity says who a member is. Two lives of one process share an
// address and differ in identity; the later one supersedes the earlier.
//
// Among the identities of one address Supersedes is a strict total order:
// of two different ones exactly one supersedes the other, and none supersedes
// itself. Renew keeps the address, and what it returns supersedes the
// receiver. Methods must be pure: the same value gives the same answer.
// Package swimtest checks these laws.
type Identity[Self any, Addr comparable] interface {
	comparable
	// Addr is where packets go. At most one member has an address at a time.
	Addr() Addr
	// Supersedes reports whether this identity took the address over from
	// the older one.
	Supersedes(older Self) bool
	// Renew returns the identity to rejoin with after being declared down;
	// false means that there is none.
	Renew() (next Self, ok bool)
}

// An ID is the ready-made [Identity]: an address and port, and the generation
// of the life that has them. It is comparable and holds no pointer.
//
// A generation is the wall-clock time of the start in milliseconds since
// 1970, given by the driver, which takes care that it is higher than any that
// it used before at this address.
type ID struct {
	addr Addr
	gen  uint64
}

// An Addr is the address and port of an [ID] in a form that is quick to
// compare and to hash: words only, no pointer, no padding. IPv4 addresses are
// kept as their IPv6 mapping, so both spellings of one address are equal.
type Addr struct {
	hi, lo     uint64
	port, zone uint32
}

// mapped is the prefix of IPv4 addresses in the low half of an Addr.
const mapped = 0xffff << 32

// ErrAddress says that no member can have the address. Nothing changed.
var ErrAddress = errors.New("swim: not the address of a member")

// NewID returns the identity of one life at an address. The address must name
// one host: an unspecified or multicast address, port 0, or a zone that is no
// number is an error that wraps [ErrAddress].
func NewID(at netip.AddrPort, generation uint64) (ID, error) {
	addr, err := newAddr(at)
	if err != nil {
		return ID{}, err
	}
	return ID{addr: addr, gen: generation}, nil
}

func newAddr(at netip.AddrPort) (Addr, error) {
	ip := at.Addr()
	zone := uint64(0)
	if z := ip.Zone(); z != "" {
		var err error
		if zone, err = strconv.ParseUint(z, 10, 32); err != nil {
			return Addr{}, fmt.Errorf("%w: zone %q of %v is not a number", ErrAddress, z, at)
		}
	}
	if !ip.IsValid() {
		return Addr{}, fmt.Errorf("%w: no IP address", ErrAddress)
	}
	octets := ip.As16()
	addr := Addr{
		hi:   binary.BigEndian.Uint64(octets[:8]),
		lo:   binary.BigEndian.Uint64(octets[8:]),
		port: uint32(at.Port()),
		zone: uint32(zone),
	}
	if !addr.valid() {
		return Addr{}, fmt.Errorf("%w: %v", ErrAddress, at)
	}
	return addr, nil
}

// valid reports whether the address can be that of one host.
func (a Addr) valid() bool {
	if a.port == 0 || a.port > 0xffff {
		return false
	}
	if a.is4() {
		ip := uint32(a.lo)
		// 224.0.0.0/4 is multicast, 240.0.0.0/4 is reserved and holds the
		// broadcast address.
		return ip != 0 && ip < 224<<24 && a.zone == 0
	}
	return (a.hi != 0 || a.lo != 0) && a.hi>>56 != 0xff
}

func (a Addr) is4() bool { return a.hi == 0 && a.lo>>32 == mapped>>32 }

// AddrPort returns the address in the form of package netip.
func (a Addr) AddrPort() netip.AddrPort {
	var octets [16]byte
	binary.BigEndian.PutUint64(octets[:8], a.hi)
	binary.BigEndian.PutUint64(octets[8:], a.lo)
	ip := netip.AddrFrom16(octets).Unmap()
	if a.zone != 0 {
		ip = ip.WithZone(strconv.FormatUint(uint64(a.zone), 10))
	}
	return netip.AddrPortFrom(ip, uint16(a.port))
}

// Compare orders addresses: by IP address, then zone, then port.
func (a Addr) Compare(b Addr) int {
	return cmp.Or(
		cmp.Compare(a.hi, b.hi),
		cmp.Compare(a.lo, b.lo),
		cmp.Compare(a.zone, b.zone),
		cmp.Compare(a.port, b.port),
	)
}

// String returns the address as "IP:port".
func (a Addr) String() string { return a.AddrPort().String() }

// Addr returns where packets for this identity go.
func (id ID) Addr() Addr { return id.addr }

// Generation returns which life at the address this is.
func (id ID) Generation() uint64 { return id.gen }

// Supersedes reports whether id is a later life than older.
func (id ID) Supersedes(older ID) bool { return id.gen > older.gen }

// Renew returns the next life at the same address, until the generations are
// used up.
func (id ID) Renew() (ID, bool) {
	if id.gen+1 == 0 {
		return id, false
	}
	id.gen++
	return id, true
}

// String returns the identity as "IP:port#generation".
func (id ID) String() string {
	return id.addr.String() + "#" + strconv.FormatUint(id.gen, 10)
}
