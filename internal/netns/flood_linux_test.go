package netns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What somebody in the network can do who has no key, but can send whatever they
// like, from any address, and hears what others say.

const (
	flood        = 200_000               // datagrams
	floodBurst   = 50                    // at once
	floodEvery   = 2 * time.Millisecond  // a burst
	floodStreams = 600                   // connections that say nothing
	dialEvery    = 10 * time.Millisecond // one of them
	strangers    = 100                   // addresses that they come from
	strangersAt  = 100                   // the first of them

	// What the victim may use meanwhile, more than at rest, when it has some 8 MiB
	// and 5 goroutines: 64 connections of strangers may be open, and each has one.
	mostMemory     = 40 << 20
	mostGoroutines = 64 + 16
)

func TestFloodWithoutTheKeyHarmsNobody(t *testing.T) { // not parallel: it takes all of a core
	c := newCluster(t, 1)
	c.form()
	const target = 2
	f := newFlooder(t, c.network.ports[size], addr(target))
	tap := newTap(t, c.network.ports[target])
	f.earlier = tap.record(t, 60)
	c.agents[target].kill()
	victim := c.start(target)
	c.awaitOneView(healing)
	f.now = tap.record(t, 60)
	rest := victim.report()
	restMemory := victim.memory()
	t.Logf("at rest the victim has %.1f MiB and %d goroutines", restMemory/(1<<20), rest.Goroutines)

	own := fmt.Sprintf("{ %v, %s }", host(size), hosts(strangersAt, strangersAt+strangers))
	c.network.lose(t,
		fmt.Sprintf("ip saddr %s ip daddr %v counter name one", own, host(target)),
		fmt.Sprintf("ip saddr %v ip daddr %s counter name two", host(target), own))
	began := time.Now()
	done := make(chan error, 2)
	go func() { done <- f.pour() }()
	go func() { done <- f.knock() }()
	memory, goroutines := 0.0, 0
	for finished := 0; finished < 2; {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			finished++
		case <-time.After(100 * time.Millisecond):
			memory = max(memory, victim.memory())
			goroutines = max(goroutines, victim.report().Goroutines)
		}
	}
	took := time.Since(began)
	in, out := c.network.hub.count(t, "bridge", "one"), c.network.hub.count(t, "bridge", "two")
	after := victim.report().Stats
	t.Logf("%d datagrams and %d connections (%d reset at once) in %v; the victim took %d datagrams and refused, by reason, %v, and %d streams",
		flood, floodStreams, f.refused, took.Round(time.Millisecond), after.PacketsReceived-rest.Stats.PacketsReceived, after.Refused, after.StreamsRefused)
	t.Logf("from the flooder %d packets with %d bytes, to it %d packets with %d bytes: %.3f", in.packets, in.bytes, out.packets, out.bytes, float64(out.bytes)/float64(in.bytes))
	t.Logf("at most %.1f MiB and %d goroutines", memory/(1<<20), goroutines)
	if in.packets < flood/2 {
		t.Errorf("only %d packets arrived", in.packets)
	}
	if out.bytes > in.bytes {
		t.Error("the victim says more than it is told")
	}
	if out.bytes == 0 {
		t.Error("the victim did not challenge what was recorded before it began")
	}
	if memory > restMemory+mostMemory {
		t.Errorf("more than %d MiB more than at rest", mostMemory>>20)
	}
	if goroutines > rest.Goroutines+mostGoroutines {
		t.Errorf("more than %d goroutines more than at rest", mostGoroutines)
	}
	f.hangUp()
	c.awaitOneView(spread)
	for until := time.Now().Add(5 * time.Second); ; endure(100 * time.Millisecond) {
		left := victim.report().Goroutines
		if left <= rest.Goroutines {
			break
		}
		if time.Now().After(until) {
			t.Errorf("%d goroutines, %d before", left, rest.Goroutines)
			break
		}
	}
	c.wantNoDowns(nil)
	c.summary()
}

var resident = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// memory returns how many bytes of memory the process has.
func (l *life) memory() float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.cmd.Process.Pid))
	found := resident.FindSubmatch(status)
	if err != nil || found == nil {
		l.cluster.t.Fatalf("no memory in %q: %v", status, err)
	}
	kib, _ := strconv.Atoi(string(found[1]))
	return float64(kib) * 1024
}

// A tap hears the datagrams that come to a namespace or leave it.
type tap struct{ socket *os.File }

func newTap(t *testing.T, at *namespace) *tap {
	t.Helper()
	const ethIP = 0x0800
	var fd int
	var err error
	at.do(func() {
		fd, err = syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, ethIP<<8&0xff00|ethIP>>8)
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &tap{os.NewFile(uintptr(fd), "tap")}
	t.Cleanup(func() { s.socket.Close() })
	return s
}

// record returns the next datagrams of the cluster.
func (s *tap) record(t *testing.T, count int) (recorded [][]byte) {
	t.Helper()
	s.socket.SetReadDeadline(time.Now().Add(20 * time.Second))
	for b := make([]byte, 2048); len(recorded) < count; {
		n, err := s.socket.Read(b)
		if err != nil {
			t.Fatalf("recorded %d datagrams: %v", len(recorded), err)
		}
		p := b[:n]
		if n < 28 || p[0] != 0x45 || p[9] != syscall.IPPROTO_UDP || binary.BigEndian.Uint16(p[22:]) != port {
			continue
		}
		recorded = append(recorded, append([]byte(nil), p[28:]...))
	}
	return recorded
}

// A flooder is somebody in the network.
type flooder struct {
	at      *namespace
	to      netip.AddrPort
	sockets []*net.UDPConn
	raw     *os.File   // for packets with the addresses of others
	conns   []net.Conn // that say nothing
	refused int        // that were reset at once
	random  *rand.Rand

	earlier [][]byte // recorded before the victim began
	now     [][]byte // recorded since then
}

func newFlooder(t *testing.T, at *namespace, to netip.AddrPort) *flooder {
	t.Helper()
	f := &flooder{at: at, to: to, random: rand.New(rand.NewPCG(1, 2))}
	var failed error
	at.do(func() {
		for range 16 {
			s, err := net.ListenUDP("udp4", nil)
			if err != nil {
				failed = err
				return
			}
			f.sockets = append(f.sockets, s)
		}
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.IPPROTO_RAW)
		if err != nil {
			failed = err
			return
		}
		f.raw = os.NewFile(uintptr(fd), "raw")
	})
	if failed != nil {
		t.Fatal(failed)
	}
	var addresses strings.Builder
	for i := range strangers {
		fmt.Fprintf(&addresses, "addr add %v/24 dev eth0\n", host(strangersAt+i))
	}
	at.must(t, addresses.String(), "ip", "-batch", "-")
	t.Cleanup(func() {
		for _, s := range f.sockets {
			s.Close()
		}
		f.raw.Close()
		f.hangUp()
	})
	return f
}

// pour sends the datagrams.
func (f *flooder) pour() error {
	pace := time.NewTicker(floodEvery)
	defer pace.Stop()
	failed, sent := error(nil), 0
	for i := range flood {
		if i%floodBurst == 0 {
			<-pace.C
		}
		var err error
		if p := f.packet(); i%10 == 9 {
			err = f.pretend(p)
		} else {
			_, err = f.sockets[i%len(f.sockets)].WriteToUDPAddrPort(p, f.to)
		}
		if err != nil {
			failed = err
			continue
		}
		sent++
	}
	if sent < flood/2 {
		return fmt.Errorf("%d of %d were sent: %w", sent, flood, failed)
	}
	return nil
}

// packet returns the next datagram.
func (f *flooder) packet() []byte {
	pick := func(of [][]byte) []byte { return append([]byte(nil), of[f.random.IntN(len(of))]...) }
	noise := func(b []byte) []byte {
		for i := range b {
			b[i] = byte(f.random.Uint32())
		}
		return b
	}
	switch f.random.IntN(6) {
	case 0: // noise
		return noise(make([]byte, f.random.IntN(1400)))
	case 1: // noise behind version, cluster and name of a key that are right
		p := append(pick(f.now), make([]byte, f.random.IntN(400))...)
		noise(p[10:])
		return p
	case 2: // all right but for one bit
		p := pick(f.now)
		p[f.random.IntN(len(p))] ^= 1 << f.random.IntN(8)
		return p
	case 3: // cut short
		p := pick(f.now)
		return p[:f.random.IntN(len(p))]
	case 4:
		return pick(f.earlier)
	default:
		return pick(f.now)
	}
}

// pretend sends a datagram as if it came from a member.
func (f *flooder) pretend(payload []byte) error {
	p := make([]byte, 28, 28+len(payload))
	from, to := host(f.random.IntN(size)).As4(), f.to.Addr().As4()
	p[0], p[8], p[9] = 0x45, 64, syscall.IPPROTO_UDP
	copy(p[12:], from[:])
	copy(p[16:], to[:])
	binary.BigEndian.PutUint16(p[20:], port)
	binary.BigEndian.PutUint16(p[22:], f.to.Port())
	binary.BigEndian.PutUint16(p[24:], uint16(8+len(payload)))
	p = append(p, payload...)
	return syscall.Sendto(int(f.raw.Fd()), p, 0, &syscall.SockaddrInet4{Addr: to})
}

// knock opens the connections.
func (f *flooder) knock() error {
	pace := time.NewTicker(dialEvery)
	defer pace.Stop()
	for i := range floodStreams {
		<-pace.C
		from := net.Dialer{Timeout: time.Second, LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(host(strangersAt+i%strangers), 0))}
		var conn net.Conn
		var err error
		f.at.do(func() { conn, err = from.Dial("tcp4", f.to.String()) })
		switch {
		case errors.Is(err, syscall.ECONNRESET):
			f.refused++
		case err != nil:
			return err
		default:
			f.conns = append(f.conns, conn)
		}
	}
	return nil
}

// hangUp closes them.
func (f *flooder) hangUp() {
	for _, conn := range f.conns {
		conn.Close()
	}
	f.conns = nil
}
