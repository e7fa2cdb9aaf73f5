package foca

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
	"testing"

	"github.com/selkie-go/selkie/swim"
)

func TestIntegersAreWrittenAsShortAsCanBe(t *testing.T) {
	for v, want := range map[uint64]string{
		0:              "00",
		1:              "01",
		250:            "fa",
		251:            "fb fb00",
		255:            "fb ff00",
		256:            "fb 0001",
		65535:          "fb ffff",
		65536:          "fc 00000100",
		70000:          "fc 70110100",
		1<<32 - 1:      "fc ffffffff",
		1 << 32:        "fd 0000000001000000",
		math.MaxUint64: "fd ffffffffffffffff",
	} {
		if got := appendNumber([]byte("ab"), v); !bytes.Equal(got[2:], unhex(want)) || string(got[:2]) != "ab" {
			t.Errorf("%d is written as %x, want %s", v, got, want)
		}
	}
}

func TestIntegersAreReadUpToTheirLimit(t *testing.T) {
	for _, v := range borders {
		b := append(appendNumber(nil, v), 0x55)
		for _, max := range borders {
			r := reader{rest: b}
			got := r.number(max)
			switch ok := !r.failed && got == v && len(r.rest) == 1; {
			case v <= max && !ok:
				t.Errorf("%d of at most %d is read as %d, failed %v", v, max, got, r.failed)
			case v > max && (!r.failed || got != 0):
				t.Errorf("%d of at most %d is read as %d", v, max, got)
			}
		}
		for n := range len(b) - 1 {
			if r := (reader{rest: b[:n]}); r.number(math.MaxUint64) != 0 || !r.failed {
				t.Errorf("%x is read", b[:n])
			}
		}
	}
}

// Every integer has one form.
func TestLongerFormsOfIntegersAreRefused(t *testing.T) {
	for _, v := range borders {
		short := appendNumber(nil, v)
		for _, long := range [][]byte{
			binary.LittleEndian.AppendUint16([]byte{follow16}, uint16(v)),
			binary.LittleEndian.AppendUint32([]byte{follow32}, uint32(v)),
			binary.LittleEndian.AppendUint64([]byte{follow64}, v),
		} {
			bytes8 := len(long) - 1
			if bytes.Equal(long, short) || bits.Len64(v) > 8*bytes8 {
				continue
			}
			if r := (reader{rest: long}); r.number(math.MaxUint64) != 0 || !r.failed {
				t.Errorf("%x is read, %d is written as %x", long, v, short)
			}
		}
	}
	for _, first := range []byte{254, 255} {
		if r := (reader{rest: append([]byte{first}, make([]byte, 16)...)}); r.number(math.MaxUint64) != 0 || !r.failed {
			t.Errorf("%d announces something", first)
		}
	}
}

func TestReaderThatFailedYieldsNothing(t *testing.T) {
	r := reader{rest: []byte{1, 2, 3}}
	if r.take(4) != nil || !r.failed || r.byte() != 0 || r.number(9) != 0 || r.short() != 0 || r.take(1) != nil {
		t.Errorf("it yields something: %+v", r)
	}
}

func TestIdentitiesAtTheBordersOfIntegers(t *testing.T) {
	for _, id := range strangeIDs() {
		at := id.Addr().AddrPort()
		size := 1 + at.Addr().BitLen()/8 + len(appendNumber(nil, uint64(at.Port()))) + len(appendNumber(nil, id.Generation()))
		b := appendID([]byte("ab"), id)
		got, n, err := parseID(append(b[2:len(b):len(b)], 0x55))
		if len(b) != 2+size || n != size || got != id || err != nil {
			t.Errorf("%v is written as %x and read as %v of %d bytes, %v", id, b[2:], got, n, err)
		}
		for n := range size {
			if got, _, err := parseID(b[2 : 2+n]); err == nil {
				t.Errorf("%d bytes of %v are read as %v", n, id, got)
			}
		}
	}
	if n := len(appendID(nil, mustID("[2001:db8::1]:65535", math.MaxUint64))); n != maxID {
		t.Errorf("the longest identity takes %d bytes, not %d", n, maxID)
	}
}

func TestIdentitiesThatCanNotTravelAreNotWritten(t *testing.T) {
	for _, id := range []swim.ID{{}, mustID("[fe80::1%7]:80", 1), mustID("[2001:db8::1%4294967295]:80", 1)} {
		if got := Bincode().AppendID([]byte("ab"), id); string(got) != "ab" {
			t.Errorf("%v is written as %x", id, got[2:])
		}
	}
}

// What can be no member's is refused before anybody takes memory to say why,
// and everything else is taken.
func TestAddressesAreThoseThatMembersCanHave(t *testing.T) {
	for _, at := range []string{
		"0.0.0.0", "0.0.0.1", "0.255.255.255", "10.0.0.1", "127.0.0.1", "169.254.0.1", "223.255.255.255",
		"224.0.0.0", "239.1.2.3", "240.0.0.0", "255.255.255.255",
		"::", "::1", "::2:0", "fe80::1", "feff::", "ff00::", "ff02::1", "ffff::", "2001:db8::1",
		"::ffff:10.0.0.1", "::ffff:0.0.0.0", "::fffe:10.0.0.1", "1::ffff:10.0.0.1",
	} {
		ip := netip.MustParseAddr(at)
		_, err := swim.NewID(netip.AddrPortFrom(ip, 1), 1)
		want := err == nil && !ip.Is4In6()
		if isHost(ip) != want {
			t.Errorf("%v: %v, but NewID says %v", ip, isHost(ip), err)
		}
		socket, octets := byte(socketV6), ip.As16()
		b := append([]byte{socket}, octets[:]...)
		if ip.Is4() {
			octets := ip.As4()
			b = append([]byte{socketV4}, octets[:]...)
		}
		if _, _, err := parseID(append(b, 80, 7)); (err == nil) != want {
			t.Errorf("%v is read with error %v", ip, err)
		}
		if _, _, err := parseID(append(b, 0, 7)); err == nil {
			t.Errorf("%v is read with port 0", ip)
		}
	}
	for name, wire := range map[string]string{
		"third variant":       "02 0a010203 50 07",
		"variant as u16":      "fb 0000 0a010203 50 07",
		"port in three bytes": "00 0a010203 fb 5000 07",
		"port above 65,535":   "00 0a010203 fc 00000100 07",
		"bump in three bytes": "00 0a010203 50 fb 0700",
		"nothing":             "",
	} {
		if id, _, err := parseID(unhex(wire)); err == nil {
			t.Errorf("%s: %s is read as %v", name, wire, id)
		}
	}
}
