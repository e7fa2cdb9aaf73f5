package main

import (
	"strings"
	"testing"

	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/swim/swimtest"
)

// Whoever writes an identity checks its laws like this. A host breaks none:
// there are never two different ones at one address, which is what is wrong
// with it.
func TestEachIdentityKeepsTheLaws(t *testing.T) {
	swimtest.Identity(t, host("a"), host("b"))
	swimtest.Identity(t, life{"a", 1}, life{"a", 2}, life{"b", 1})

	first, last := compact{[4]byte{10, 0, 0, 1}, 1}, compact{[4]byte{10, 0, 0, 1}, 1<<16 - 1}
	other := compact{[4]byte{10, 0, 0, 2}, 1}
	swimtest.Identity(t, first, last, other)
	swimtest.Identity(t, server{first, 1, 'r'}, server{first, 2, 'r'}, server{first, 2, 'w'}, server{last, 1, 'r'}, server{other, 1, 'r'})
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	var lives []life
	var servers []server
	for i := range byte(swim.MaxAccusers + 1) {
		name := host(strings.Repeat("x", int(i)+1))
		small := compact{[4]byte{10, 0, 0, i}, uint16(i) * 9000}
		lives = append(lives, life{name, int(i) * 100})
		servers = append(servers, server{small, i, 'a' + i})
	}
	swimtest.Codec(t, swim.Plain(writeLife, readLife, 24), lives...)
	swimtest.Codec(t, swim.Plain(writeServer, readServer, 8), servers...)
}

func Example() {
	main()
	// Output:
	// An address alone
	//   a: b is up
	//   a: c is up
	//   b crashes
	//   a: b is down
	//   b: I was declared down, and have no other name
	//   a knows: c
	//
	// A generation
	//   a#1: b#1 is up
	//   a#1: c#1 is up
	//   b#1 crashes
	//   a#1: b#1 is down
	//   a#1: b#2 is up
	//   the cable of b#2 is pulled
	//   a#1: b#2 is down
	//   the cable of b#2 is back
	//   b#2: I was declared down, and go on as b#3
	//   a#1: b#3 is up
	//   a#1 knows: b#3, c#1
	//
	// Small
	//   10.0.0.2#7 takes 6 bytes, a ping 19
	//   a ping with news about 172 members takes 1395 bytes
	//
	// Facts
	//   10.0.0.1#1(zone 1, w): 10.0.0.2#1(zone 1, r) is up
	//   10.0.0.1#1(zone 1, w): 10.0.0.3#1(zone 2, r) is up
	//   10.0.0.1#1(zone 1, w): 10.0.0.4#1(zone 2, r) is up
	//   10.0.0.1#1(zone 1, w): 10.0.0.4#1(zone 2, r) is now 10.0.0.4#2(zone 2, w)
	//   who writes in zone 2: 10.0.0.4#2(zone 2, w)
}
