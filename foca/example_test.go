package foca_test

import (
	"fmt"
	"log"
	"math/rand/v2"
	"net/netip"

	"github.com/selkie-go/selkie/foca"
	"github.com/selkie-go/selkie/swim"
)

// A core asks a member that runs foca whether it may join, and hears of its
// goodbye.
func Example() {
	self, err := swim.NewID(netip.MustParseAddrPort("127.0.0.1:8001"), 1700000000)
	if err != nil {
		log.Fatal(err)
	}
	other, err := swim.NewID(netip.MustParseAddrPort("10.1.2.3:65535"), 7)
	if err != nil {
		log.Fatal(err)
	}
	codec := foca.Bincode()
	core, err := swim.New(self, foca.Protocol(swim.LAN(10)), codec, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		log.Fatal(err)
	}
	out := swim.NewOutbox[swim.ID](func() swim.Instant { return 1 })
	if err := core.Announce(other, out); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%x\n", out.Packets[0].Data)

	goodbye := "\x00\x0a\x01\x02\x03\xfb\xff\xff\x07\x00" + // who sends, at incarnation 0
		"\x00\x7f\x00\x00\x01\xfb\x41\x1f\xfc\x00\xf1\x53\x65\x08" + // to whom; a gossip
		"\x00\x01\x00\x0a\x01\x02\x03\xfb\xff\xff\x07\x00\x02" // one update: the sender is down
	var packet swim.Packet[swim.ID]
	if err := codec.Parse([]byte(goodbye), &packet); err != nil {
		log.Fatal(err)
	}
	fmt.Println(packet.Header.Src, "says", &packet)
	// Output:
	// 007f000001fb411ffc00f1536500000a010203fbffff0706
	// 10.1.2.3:65535#7 says gossip (left)
}
