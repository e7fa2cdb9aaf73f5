package selkie_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/netip"
	"os"
	"time"

	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/transport/mem"
)

// Two members in one process: the second one finds the first, and leaves.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	first, err := selkie.Start(ctx, selkie.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer first.Close()
	second, err := selkie.Start(ctx, selkie.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer second.Close()

	if err := second.Join(ctx, first.Self().Addr().String()); err != nil {
		log.Fatal(err)
	}
	for event := range first.Watch(ctx) {
		switch event.Kind {
		case selkie.EventSnapshot:
			fmt.Println(len(event.Members), "members")
			go second.Leave(ctx)
		case selkie.EventLeft:
			fmt.Println("the second one has", event.Member.State)
			return
		}
	}
	// Output:
	// 2 members
	// the second one has left
}

// start starts a member in a network in memory, as tests of a program may do that
// has one.
func start(ctx context.Context, network *mem.Network, at string, cfg selkie.Config) *selkie.Node {
	conn, err := network.Listen(netip.MustParseAddrPort(at))
	if err != nil {
		log.Fatal(err)
	}
	cfg.Transport = conn
	node, err := selkie.Start(ctx, cfg)
	if err != nil {
		log.Fatal(err)
	}
	return node
}

// pair starts two members that know each other, 10.0.0.1:7946 and 10.0.0.2:7946.
func pair(ctx context.Context, first, second selkie.Config) (a, b *selkie.Node) {
	network := mem.NewNetwork()
	a = start(ctx, network, "10.0.0.1:7946", first)
	b = start(ctx, network, "10.0.0.2:7946", second)
	if err := b.Join(ctx, "10.0.0.1:7946"); err != nil {
		log.Fatal(err)
	}
	wait(ctx, a, func() bool {
		_, ok := a.Member(b.Self().Addr())
		return ok
	})
	return a, b
}

// wait waits until something is true that events of a node make true.
func wait(ctx context.Context, node *selkie.Node, isTrue func() bool) {
	for range node.Watch(ctx) {
		if isTrue() {
			return
		}
	}
	log.Fatal("it did not become true")
}

// A member with a name and tags, whose packets are sealed. The second one has
// another key, and so finds nobody.
func ExampleStart() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	node, err := selkie.Start(ctx, selkie.Config{
		Bind:    netip.MustParseAddrPort("127.0.0.1:0"), // of UDP and TCP
		Cluster: "birds",
		Keys:    []selkie.Key{selkie.NewKey()},
		Name:    "nest-1",
		Tags:    map[string]string{"zone": "north"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close()
	self := node.Self()
	zone, _ := self.Tag("zone")
	fmt.Println(self.Name(), zone, self.State)

	stranger, err := selkie.Start(ctx, selkie.Config{Cluster: "birds", Keys: []selkie.Key{selkie.NewKey()}})
	if err != nil {
		log.Fatal(err)
	}
	defer stranger.Close()
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	err = stranger.Join(short, self.Addr().String())
	fmt.Println(errors.Is(err, selkie.ErrNoSeed), node.Stats().Refused["key"] > 0)
	// Output:
	// nest-1 north alive
	// true true
}

// Join returns when the first of the seeds has answered. One that is not there
// does no harm; if none is, they are asked on.
func ExampleNode_Join() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	network := mem.NewNetwork()
	second := start(ctx, network, "10.0.0.2:7946", selkie.Config{})
	defer second.Close()

	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	err := second.Join(short, "10.0.0.1:7946")
	fmt.Println(errors.Is(err, selkie.ErrNoSeed), err)

	first := start(ctx, network, "10.0.0.1:7946", selkie.Config{})
	defer first.Close()
	fmt.Println(second.Join(ctx, "10.0.0.1:7946", "10.0.0.9:7946"))
	// Output:
	// true selkie: no seed answered: context deadline exceeded
	// <nil>
}

// A watcher begins with everybody who is there, and misses nothing after that.
func ExampleNode_Watch() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	first, second := pair(ctx, selkie.Config{}, selkie.Config{Name: "second"})
	defer first.Close()
	defer second.Close()

	for event := range second.Watch(ctx) {
		switch event.Kind {
		case selkie.EventSnapshot:
			fmt.Println("members:", event.Members)
			go first.Leave(ctx)
		case selkie.EventUp, selkie.EventLeft:
			fmt.Println(event.Kind, event.Member.Addr())
		case selkie.EventDown:
			fmt.Println(event.Kind, event.Member.Addr(), event.Cause)
		case selkie.EventIdle:
			fmt.Println("alone")
			return
		}
	}
	// Output:
	// members: [10.0.0.1:7946 alive 10.0.0.2:7946 alive]
	// left 10.0.0.1:7946
	// alone
}

// Members is a snapshot, sorted by address.
func ExampleNode_Members() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	first, second := pair(ctx, selkie.Config{}, selkie.Config{})
	defer first.Close()
	defer second.Close()

	for m := range first.Members() {
		fmt.Println(m.Addr(), m.State, m.Self)
	}
	// Output:
	// 10.0.0.1:7946 alive true
	// 10.0.0.2:7946 alive false
}

// Who died or left is there too, until it is forgotten.
func ExampleNode_Member() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	first, second := pair(ctx, selkie.Config{}, selkie.Config{})
	defer first.Close()
	defer second.Close()

	at := second.Self().Addr()
	m, ok := first.Member(at)
	fmt.Println(m, ok, m.State.Active())
	if err := second.Leave(ctx); err != nil {
		log.Fatal(err)
	}
	wait(ctx, first, func() bool { m, _ = first.Member(at); return !m.State.Active() })
	fmt.Println(m)
	_, ok = first.Member(netip.MustParseAddrPort("10.0.0.3:7946"))
	fmt.Println(ok)
	// Output:
	// 10.0.0.2:7946 alive true true
	// 10.0.0.2:7946 left
	// false
}

// The name and tags of a member follow it within a second.
func ExampleMember_Tags() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	first, second := pair(ctx, selkie.Config{}, selkie.Config{
		Name: "nest-2",
		Tags: map[string]string{"zone": "north", "http": "10.0.0.2:8080"},
	})
	defer first.Close()
	defer second.Close()

	var m selkie.Member
	wait(ctx, first, func() bool { m, _ = first.Member(second.Self().Addr()); return m.Described() })
	fmt.Println(m.Name())
	for key, value := range m.Tags() {
		fmt.Println(key, value)
	}
	// Output:
	// nest-2
	// http 10.0.0.2:8080
	// zone north
}

// SetTags replaces all tags.
func ExampleNode_SetTags() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	first, second := pair(ctx, selkie.Config{}, selkie.Config{Tags: map[string]string{"state": "warming up"}})
	defer first.Close()
	defer second.Close()

	if err := second.SetTags(map[string]string{"state": "ready"}); err != nil {
		log.Fatal(err)
	}
	wait(ctx, first, func() bool {
		m, _ := first.Member(second.Self().Addr())
		state, _ := m.Tag("state")
		return state == "ready"
	})
	fmt.Println("the first one knows")
	// Output:
	// the first one knows
}

// A small message may get lost, as datagrams do; a large one takes a stream, and
// then there is an error if it does not arrive.
func ExampleNode_Send() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	arrived := make(chan string)
	first, second := pair(ctx, selkie.Config{}, selkie.Config{
		OnMessage: func(from selkie.ID, payload []byte) {
			arrived <- fmt.Sprintf("%d bytes from %v", len(payload), from.Addr())
		},
	})
	defer first.Close()
	defer second.Close()

	for _, size := range []int{5, 100_000} {
		if err := first.Send(ctx, second.Self().ID, make([]byte, size)); err != nil {
			log.Fatal(err)
		}
		fmt.Println(<-arrived)
	}
	// Output:
	// 5 bytes from 10.0.0.1:7946
	// 100000 bytes from 10.0.0.1:7946
}

// Ping measures a round trip, and says so if somebody is no member.
func ExampleNode_Ping() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	first, second := pair(ctx, selkie.Config{}, selkie.Config{})
	defer first.Close()
	defer second.Close()

	took, err := first.Ping(ctx, second.Self().ID)
	fmt.Println(0 < took && took < time.Second, err)
	_, err = first.Ping(ctx, selkie.ID{})
	fmt.Println(errors.Is(err, selkie.ErrNotMember))
	// Output:
	// true <nil>
	// true
}

// A later broadcast of the same key replaces the earlier one, while that is still
// being told.
func ExampleNode_Broadcast() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	heard := make(chan string)
	first, second := pair(ctx, selkie.Config{}, selkie.Config{
		OnBroadcast: func(from selkie.ID, key string, payload []byte) {
			heard <- fmt.Sprintf("%v: %s is %s", from.Addr(), key, payload)
		},
	})
	defer first.Close()
	defer second.Close()

	if err := first.Broadcast("weather", []byte("fair")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-heard)
	// Output:
	// 10.0.0.1:7946: weather is fair
}

// Keys says who would be cut off if a key was used, or dropped.
func ExampleNode_Keys() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	key := selkie.NewKey()
	sealed := selkie.Config{Keys: []selkie.Key{key}}
	first, second := pair(ctx, sealed, sealed)
	defer first.Close()
	defer second.Close()

	// What keys a member has it says together with its name and tags.
	var statuses []selkie.KeyStatus
	wait(ctx, first, func() bool { statuses = first.Keys(); return len(statuses[0].Missing) == 0 })
	s := statuses[0]
	fmt.Println(s.ID == key.ID(), s.Held, s.Primary, s.Using)
	// Output:
	// true true true [10.0.0.2:7946 alive]
}

// A key is replaced in three steps, each on all members before the next one.
// docs/operations.md has more.
func ExampleNode_ReloadKeys() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	before, after := selkie.NewKey(), selkie.NewKey()
	sealed := selkie.Config{Keys: []selkie.Key{before}}
	first, second := pair(ctx, sealed, sealed)
	defer first.Close()
	defer second.Close()

	everywhere := func(keys ...selkie.Key) {
		for _, node := range []*selkie.Node{first, second} {
			if err := node.ReloadKeys(keys...); err != nil {
				log.Fatal(err)
			}
		}
	}
	status := func(key selkie.Key) (found selkie.KeyStatus) {
		for _, s := range first.Keys() {
			if s.ID == key.ID() {
				found = s
			}
		}
		return found
	}
	everywhere(before, after) // all accept it
	wait(ctx, first, func() bool { return len(status(after).Missing) == 0 })
	fmt.Println("nobody would be cut off")
	everywhere(after, before) // all use it
	wait(ctx, first, func() bool { return len(status(before).Using) == 0 })
	fmt.Println("nobody seals with the old one")
	everywhere(after) // the old one is good for nothing
	fmt.Println("held:", status(before).Held, status(after).Held)
	// Output:
	// nobody would be cut off
	// nobody seals with the old one
	// held: false true
}

// Who leaves is not mourned, and may come back: as a new life.
func ExampleNode_Leave() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	first, second := pair(ctx, selkie.Config{}, selkie.Config{})
	defer first.Close()
	defer second.Close()

	life := second.Self().ID
	if err := second.Leave(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(second.Self().State)
	if err := second.Join(ctx, "10.0.0.1:7946"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(second.Self().State, second.Self().ID.Supersedes(life))
	// Output:
	// left
	// alive true
}

// With a directory of its own a member needs no seed after a restart, and begins a
// later life than the one before, whatever the clock says.
func ExampleConfig_dataDir() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dir, err := os.MkdirTemp("", "selkie")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	network := mem.NewNetwork()
	first := start(ctx, network, "10.0.0.1:7946", selkie.Config{})
	defer first.Close()
	second := start(ctx, network, "10.0.0.2:7946", selkie.Config{DataDir: dir})
	if err := second.Join(ctx, "10.0.0.1:7946"); err != nil {
		log.Fatal(err)
	}
	life := second.Self().ID
	if err := second.Close(); err != nil {
		log.Fatal(err)
	}

	second = start(ctx, network, "10.0.0.2:7946", selkie.Config{DataDir: dir})
	defer second.Close()
	for m := range second.Members() {
		fmt.Println(m)
	}
	fmt.Println(second.Self().ID.Supersedes(life))
	// Output:
	// 10.0.0.1:7946 alive
	// 10.0.0.2:7946 alive
	// true
}

// Counters only grow, and stay readable after Close.
func ExampleNode_Stats() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	first, second := pair(ctx, selkie.Config{}, selkie.Config{})
	defer second.Close()
	if err := first.Close(); err != nil {
		log.Fatal(err)
	}
	s := first.Stats()
	fmt.Println(s.Protocol.Alive, "other member,", s.Protocol.Health, "doubts about ourselves")
	fmt.Println(s.PacketsReceived > 0, s.SendErrors, s.EventsLost, s.Refused["cluster"])
	// Output:
	// 1 other member, 0 doubts about ourselves
	// true 0 0 0
}
