package bench

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/hashicorp/go-msgpack/v2/codec"
	"github.com/hashicorp/memberlist"

	"github.com/selkie-go/selkie/swim"
)

// The messages of memberlist that we write ourselves, because its encoder is
// not exported.
const (
	aliveMessage    = 4
	compoundMessage = 7
)

// alive has the fields of memberlist's message of that name.
type alive struct {
	Incarnation uint32
	Node        string
	Addr        []byte
	Port        uint16
	Meta        []byte
	Vsn         []uint8
}

// A peer is a memberlist without a network: what the benchmark puts into
// packets it handles as received, and what it sends goes nowhere. Its periodic
// tasks are off, so only what is measured runs.
type peer struct {
	*memberlist.Memberlist
	packets chan *memberlist.Packet
	streams chan net.Conn
	applied chan struct{} // one for each alive message that is being merged
}

func newPeer(tb testing.TB) *peer {
	tb.Helper()
	p := &peer{
		packets: make(chan *memberlist.Packet),
		streams: make(chan net.Conn),
		applied: make(chan struct{}, 2*packetSize),
	}
	config := memberlist.DefaultLANConfig()
	config.Name = "192.0.2.1:7946"
	config.Transport = p
	config.Alive = p
	config.LogOutput = io.Discard
	config.ProbeInterval, config.GossipInterval, config.PushPullInterval = 0, 0, 0
	list, err := memberlist.Create(config)
	if err != nil {
		tb.Fatal(err)
	}
	<-p.applied // itself
	p.Memberlist = list
	tb.Cleanup(func() {
		if err := list.Shutdown(); err != nil {
			tb.Error(err)
		}
	})
	return p
}

// NotifyAlive is called by memberlist before it merges an alive message.
func (p *peer) NotifyAlive(*memberlist.Node) error {
	p.applied <- struct{}{}
	return nil
}

// handle feeds a packet and returns when all its updates are merged.
func (p *peer) handle(packet packet) {
	p.packets <- &memberlist.Packet{Buf: packet.data, From: &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 7946}, Timestamp: time.Now()}
	for range packet.updates {
		<-p.applied
	}
	p.LocalNode() // takes the lock that the last merge holds until it is done
}

func (p *peer) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return net.IPv4(192, 0, 2, 1), 7946, nil
}
func (p *peer) WriteTo([]byte, string) (time.Time, error) { return time.Now(), nil }
func (p *peer) PacketCh() <-chan *memberlist.Packet       { return p.packets }
func (p *peer) DialTimeout(string, time.Duration) (net.Conn, error) {
	return nil, errors.New("no streams")
}
func (p *peer) StreamCh() <-chan net.Conn { return p.streams }
func (p *peer) Shutdown() error           { return nil }

// news returns as many packets as it takes to say that every member is alive
// with an incarnation, in random order.
func news(tb testing.TB, members []swim.ID, incarnation uint32) []packet {
	tb.Helper()
	var (
		packets []packet
		parts   [][]byte
		size    = 2
	)
	flush := func() {
		if len(parts) > 0 {
			packets = append(packets, compound(parts))
		}
		parts, size = nil, 2
	}
	for _, i := range rand.Perm(len(members)) {
		part := encodeAlive(tb, members[i], incarnation)
		if size+2+len(part) > packetSize || len(parts) == 255 {
			flush()
		}
		parts = append(parts, part)
		size += 2 + len(part)
	}
	flush()
	return packets
}

func encodeAlive(tb testing.TB, id swim.ID, incarnation uint32) []byte {
	tb.Helper()
	at := id.Addr().AddrPort()
	b := bytes.NewBuffer([]byte{aliveMessage})
	err := codec.NewEncoder(b, &codec.MsgpackHandle{}).Encode(&alive{
		Incarnation: incarnation,
		Node:        at.String(),
		Addr:        at.Addr().AsSlice(),
		Port:        at.Port(),
		Vsn:         []uint8{1, 5, 2, 0, 0, 0},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func compound(parts [][]byte) packet {
	data := []byte{compoundMessage, byte(len(parts))}
	for _, part := range parts {
		data = binary.BigEndian.AppendUint16(data, uint16(len(part)))
	}
	return packet{append(data, bytes.Join(parts, nil)...), len(parts)}
}

func TestMemberlistLearnsWhatWeTellIt(t *testing.T) {
	p := newPeer(t)
	members := population(t, 500)
	for _, packet := range news(t, members, 1) {
		if len(packet.data) > packetSize {
			t.Errorf("a packet has %d bytes", len(packet.data))
		}
		p.handle(packet)
	}
	if got := p.NumMembers(); got != len(members)+1 {
		t.Errorf("memberlist knows %d members, want %d and itself", got, len(members))
	}
}

// BenchmarkMemberlistHandleGossip hands full packets of fresh news about known
// members to memberlist: each is alive with the next incarnation. Compression,
// which a sender may use, is off; it would make packets fewer and dearer. The
// time includes what memberlist needs to hand a packet from one of its
// goroutines to the next.
func BenchmarkMemberlistHandleGossip(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("N=%d", n), func(b *testing.B) {
			p := newPeer(b)
			members := population(b, n)
			for _, packet := range news(b, members, 1) {
				p.handle(packet)
			}
			incarnation := uint32(1)
			measure(b, func() []packet {
				incarnation++
				return news(b, members, incarnation)
			}, p.handle)
		})
	}
}

// BenchmarkMemberlistGossip fills three packets from a backlog, as each round
// of gossip does.
func BenchmarkMemberlistGossip(b *testing.B) {
	for _, backlog := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("backlog=%d", backlog), func(b *testing.B) {
			queue := memberlist.TransmitLimitedQueue{
				NumNodes: func() int { return backlog },
				// So many transmissions that the backlog never empties.
				RetransmitMult: 1 << 24,
			}
			for _, id := range population(b, backlog) {
				queue.QueueBroadcast(&update{id.Addr().String(), encodeAlive(b, id, 1)})
			}
			b.ReportAllocs()
			for b.Loop() {
				for range 3 {
					if len(queue.GetBroadcasts(2, packetSize-2)) == 0 {
						b.Fatal("nothing to tell")
					}
				}
			}
		})
	}
}

// An update is something in the backlog of memberlist that a newer one about
// the same member replaces.
type update struct {
	about   string
	message []byte
}

func (u *update) Name() string    { return u.about }
func (u *update) Message() []byte { return u.message }
func (u *update) Finished()       {}

func (u *update) Invalidates(other memberlist.Broadcast) bool {
	o, ok := other.(memberlist.NamedBroadcast)
	return ok && o.Name() == u.about
}
