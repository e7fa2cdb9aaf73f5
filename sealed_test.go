package selkie

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/mem"
	"github.com/selkie-go/selkie/transport/sealed"
)

// Keys of tests; nobody else may use them.
var keyA, keyB = Key{1}, Key{2}

func withKeys(keys ...Key) func(*Config) { return func(c *Config) { c.Keys = keys } }

// sealedCluster returns nodes with a key that know and describe each other.
func sealedCluster(t *testing.T, network *mem.Network, size int, configure ...func(*Config)) []*Node {
	t.Helper()
	var nodes []*Node
	for i := range size {
		named := func(c *Config) { c.Name, c.Keys = fmt.Sprintf("node-%d", i), []Key{keyA} }
		nodes = append(nodes, start(t, network, addr(i), append([]func(*Config){named, seeds(addr(0))}, configure...)...))
	}
	time.Sleep(5 * time.Second)
	for _, n := range nodes {
		wantStates(t, n, Alive, size)
		for i := range size {
			if m, _ := n.Member(netip.MustParseAddrPort(addr(i))); m.Name() != fmt.Sprintf("node-%d", i) {
				t.Errorf("%v knows %v as %q", n.Self(), m, m.Name())
			}
		}
	}
	return nodes
}

func TestSealedNodesFindAndDescribeEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := sealedCluster(t, mem.NewNetwork(), 30)
		for _, n := range nodes {
			for reason, count := range n.Stats().Refused {
				// Some of the first packets come from somebody who is not known yet.
				if count > 0 && reason != sealed.FaultUnknown.String() {
					t.Errorf("%v refused %d packets: %s", n.Self(), count, reason)
				}
			}
		}
	})
}

// TestNobodyWithoutTheKeyIsHeard: neither without a key, nor with another one, nor
// in another cluster.
func TestNobodyWithoutTheKeyIsHeard(t *testing.T) {
	for reason, stranger := range map[string]func(*Config){
		"version": func(*Config) {},
		"key":     withKeys(keyB),
		"cluster": func(c *Config) { c.Keys, c.Cluster = []Key{keyA}, "another" },
	} {
		synctest.Test(t, func(t *testing.T) {
			network := mem.NewNetwork()
			nodes := sealedCluster(t, network, 3)
			other := start(t, network, addr(7), stranger, seeds(addr(0), addr(1)))
			time.Sleep(time.Minute)
			wantStates(t, other, Alive, 1)
			for _, n := range nodes {
				wantStates(t, n, Alive, 3)
			}
			if s := nodes[0].Stats(); s.Refused[reason] == 0 {
				t.Errorf("%s: refused %v", reason, s.Refused)
			}
		})
	}
}

func TestTagsAreToldAndReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := sealedCluster(t, mem.NewNetwork(), 12, func(c *Config) { c.Tags = map[string]string{"zone": "a", "role": "db"} })
		at := netip.MustParseAddrPort(addr(3))
		seen := record(t, nodes[7])
		for i, large := range []int{10, 2000, 60_000, 3} {
			value := strings.Repeat("x", large)
			if err := nodes[3].SetTags(map[string]string{"zone": "b", "what": value}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			for _, n := range nodes {
				m, _ := n.Member(at)
				if got, _ := m.Tag("what"); got != value {
					t.Errorf("change %d: %v knows %d bytes, want %d", i, n.Self(), len(got), large)
				}
				if _, ok := m.Tag("role"); ok || m.Name() != "node-3" {
					t.Errorf("change %d: %v knows %q with a tag of before", i, n.Self(), m.Name())
				}
			}
		}
		if got := seen.kinds(addr(3)); got != "updated updated updated updated" {
			t.Errorf("events: %s", got)
		}
		var list []string
		for k, v := range nodes[3].Self().Tags() {
			list = append(list, k+"="+v)
		}
		if got := strings.Join(list, " "); got != "what=xxx zone=b" {
			t.Errorf("our own tags: %s", got)
		}
		before := nodes[3].Self()
		if err := nodes[3].SetTags(map[string]string{"k": strings.Repeat("x", MaxMetadata)}); !errors.Is(err, swim.ErrTooBig) {
			t.Errorf("too large: %v", err)
		}
		if now := nodes[3].Self(); now != before {
			t.Error("tags that are too large changed something")
		}
	})
}

func TestSendAndPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		type got struct {
			from    ID
			payload string
		}
		arrived := make(chan got, 10)
		nodes := sealedCluster(t, network, 3, func(c *Config) {
			c.OnMessage = func(from ID, payload []byte) { arrived <- got{from, string(payload)} }
		})
		to, ctx := nodes[2].Self().ID, t.Context()
		if err := nodes[2].Send(ctx, to, []byte("to ourselves")); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if g := <-arrived; g.from != to || g.payload != "to ourselves" {
			t.Errorf("to ourselves: %+v", g)
		}
		for _, size := range []int{0, 5, 1200, 1400, 70_000, 1 << 20} {
			payload := bytes.Repeat([]byte("p"), size)
			if err := nodes[1].Send(ctx, to, payload); err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
			synctest.Wait()
			select {
			case g := <-arrived:
				if g.from != nodes[1].Self().ID || g.payload != string(payload) {
					t.Errorf("%d bytes arrived from %v, want %d", len(g.payload), g.from, size)
				}
			default:
				t.Errorf("%d bytes did not arrive", size)
			}
		}
		if err := nodes[1].Send(ctx, to, make([]byte, 1<<20+1)); !errors.Is(err, swim.ErrTooBig) {
			t.Errorf("too large: %v", err)
		}
		stranger, _ := swim.NewID(netip.MustParseAddrPort(addr(50)), 1)
		if err := nodes[1].Send(ctx, stranger, nil); !errors.Is(err, ErrNotMember) {
			t.Errorf("to nobody: %v", err)
		}
		network.Change(func(n *mem.Network) { n.Latency = 20 * time.Millisecond })
		if took, err := nodes[1].Ping(ctx, to); err != nil || took != 40*time.Millisecond {
			t.Errorf("ping: %v, %v", took, err)
		}
		network.Change(func(n *mem.Network) { n.Lost = func(_, _ netip.AddrPort) bool { return true } })
		short, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		if _, err := nodes[1].Ping(short, to); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ping of one that is cut off: %v", err)
		}
	})
}

// TestStreamsKeepAliveWhomDatagramsLose: between two members all datagrams are
// lost, and nobody else could help.
func TestStreamsKeepAliveWhomDatagramsLose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		nodes := sealedCluster(t, network, 2)
		network.Change(func(n *mem.Network) { n.Lost = func(_, _ netip.AddrPort) bool { return true } })
		time.Sleep(2 * time.Minute)
		for _, n := range nodes {
			wantStates(t, n, Alive, 2)
			if s := n.Stats(); s.StreamProbes < 50 || s.StreamAcks < s.StreamProbes-1 {
				t.Errorf("%d probes over streams, %d answered", s.StreamProbes, s.StreamAcks)
			}
		}
		network.Change(func(n *mem.Network) { n.CutStream = func(_, _ netip.AddrPort) bool { return true } })
		time.Sleep(time.Minute)
		for i, n := range nodes {
			wantState(t, n, addr(1-i), Down)
		}
	})
}

// TestKeysAreRotatedWithoutLosingAPacket follows docs/operations.md.
func TestKeysAreRotatedWithoutLosingAPacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := sealedCluster(t, mem.NewNetwork(), 8)
		status := func(n *Node, id KeyID) KeyStatus {
			for _, s := range n.Keys() {
				if s.ID == id {
					return s
				}
			}
			t.Fatalf("%v knows nothing of %v", n.Self(), id)
			return KeyStatus{}
		}
		reload := func(n *Node, keys ...Key) {
			if err := n.ReloadKeys(keys...); err != nil {
				t.Fatal(err)
			}
			time.Sleep(700 * time.Millisecond)
		}
		for i, n := range nodes {
			reload(n, keyA, keyB)
			if s := status(nodes[0], keyB.ID()); len(s.Missing) != 7-i {
				t.Errorf("after %d reloads %d members miss the key", i+1, len(s.Missing))
			}
		}
		for _, n := range nodes {
			reload(n, keyB, keyA)
		}
		if s := status(nodes[0], keyA.ID()); len(s.Using) != 0 || s.Primary || !s.Held {
			t.Errorf("old key: %+v", s)
		}
		for _, n := range nodes {
			reload(n, keyB)
		}
		time.Sleep(time.Minute)
		for _, n := range nodes {
			wantStates(t, n, Alive, 8)
			if got := n.Stats().Refused[sealed.FaultKey.String()]; got != 0 {
				t.Errorf("%v refused %d packets for their key", n.Self(), got)
			}
		}
		if err := nodes[0].ReloadKeys(); !errors.Is(err, sealed.ErrKey) {
			t.Errorf("without a key: %v", err)
		}
		wantStates(t, nodes[0], Alive, 8)
	})
}

// TestRestartFromDisk: a member that is killed and started again without a seed
// finds back, and nobody takes it for down.
func TestRestartFromDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		nodes := sealedCluster(t, network, 5)
		dir := filepath.Join(t.TempDir(), "made", "by", "the", "node")
		configure := func(c *Config) { c.Keys, c.DataDir, c.Name = []Key{keyA}, dir, "kept" }
		kept := start(t, network, addr(9), configure, seeds(addr(0)))
		time.Sleep(30 * time.Second)
		before := kept.Self().ID
		seen := record(t, nodes[1])
		if err := kept.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		kept = start(t, network, addr(9), configure)
		if got := len(slices.Collect(kept.Members())); got != 6 {
			t.Errorf("it remembers %d members", got)
		}
		own := record(t, kept)
		if !kept.Self().ID.Supersedes(before) {
			t.Errorf("it began as %v, and was %v", kept.Self().ID, before)
		}
		time.Sleep(2 * time.Second)
		for _, n := range append(nodes, kept) {
			wantStates(t, n, Alive, 6)
		}
		if got := seen.kinds(addr(9)); got != "renamed updated" {
			t.Errorf("others saw: %s", got)
		}
		if got := own.kinds(addr(2)); got != "updated" {
			t.Errorf("it saw of one that it remembered: %s", got)
		}
		kept.Close()
		conn, err := network.Listen(netip.MustParseAddrPort(addr(9)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = Start(t.Context(), Config{Transport: conn, DataDir: dir, Keys: []Key{keyB}})
		if err == nil || !strings.Contains(err.Error(), keyA.ID().String()) || !strings.Contains(err.Error(), keyB.ID().String()) {
			t.Errorf("started with other keys: %v", err)
		}
	})
}

// TestDamagedStateIsSetAside: it is reported, and the member begins anew.
func TestDamagedStateIsSetAside(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"torn":  func(b []byte) []byte { return b[:len(b)/2] },
		"empty": func([]byte) []byte { return nil },
		"flipped": func(b []byte) []byte {
			b[len(b)/3] ^= 4
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := mem.NewNetwork()
				dir := t.TempDir()
				nodes := sealedCluster(t, network, 3)
				var said bytes.Buffer
				configure := func(c *Config) {
					c.Keys, c.DataDir, c.Log = []Key{keyA}, dir, slog.New(slog.NewTextHandler(&said, nil))
				}
				start(t, network, addr(9), configure, seeds(addr(0))).Close()
				path := filepath.Join(dir, stateFile)
				content, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, damage(content), 0o600); err != nil {
					t.Fatal(err)
				}
				n := start(t, network, addr(9), configure, seeds(addr(0)))
				time.Sleep(2 * time.Second)
				wantStates(t, n, Alive, 4)
				wantStates(t, nodes[1], Alive, 4)
				n.Close()
				if aside, _ := filepath.Glob(path + ".damaged-*"); len(aside) != 1 || !strings.Contains(said.String(), "begin anew") {
					t.Errorf("set aside: %v; said: %s", aside, said.String())
				}
			})
		})
	}
}
