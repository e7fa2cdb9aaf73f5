package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/transport/mem"
)

// phoneBook is a resolver that knows what it was told.
type phoneBook struct {
	hosts    map[string][]netip.Addr
	services map[string][]*net.SRV
}

func (b *phoneBook) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if ips, ok := b.hosts[host]; ok {
		return ips, nil
	}
	return nil, errors.New("no such host: " + host)
}

func (b *phoneBook) LookupSRV(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
	if records, ok := b.services[name]; ok {
		return name, records, nil
	}
	return "", nil, errors.New("no such service: " + name)
}

func TestSeedsAreFoundInAllTheirForms(t *testing.T) {
	file := filepath.Join(t.TempDir(), "seeds")
	if err := os.WriteFile(file, []byte("# ours\n\n 10.0.0.1:1\nhost:2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	crowd := make([]netip.Addr, 1000)
	for i := range crowd {
		crowd[i] = netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
	}
	names := &phoneBook{
		hosts: map[string][]netip.Addr{
			"two":   {netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("::1")},
			"one":   {netip.MustParseAddr("::ffff:10.0.0.3")},
			"crowd": crowd,
		},
		services: map[string][]*net.SRV{
			"svc":  {{Target: "two.", Port: 7}, {Target: "lost.", Port: 8}, {Target: "one", Port: 9}},
			"none": {{Target: "lost.", Port: 8}},
		},
	}
	for _, c := range []struct{ join, want string }{
		{"a:1", "[a:1]"},
		{"dns+two:7946", "[10.0.0.1:7946 [::1]:7946]"},
		{"dnssrv+svc", "[10.0.0.1:7 [::1]:7 10.0.0.3:9]"},
		{"file=" + file, "[10.0.0.1:1 host:2]"},
		{"dns+lost:1", "no such host"},
		{"dnssrv+lost", "no such service"},
		{"dnssrv+none", "no such host"},
		{"file=" + file + "x", "no such file"},
	} {
		s, err := parseJoin(c.join)
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.find(t.Context(), names)
		if got := fmt.Sprint(found, err); !strings.HasPrefix(got, c.want) && (err == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%s: got %s, want %s", c.join, got, c.want)
		}
	}
	many, err := seed{"dns", "crowd:1"}.find(t.Context(), names)
	if slices.Sort(many); err != nil || len(slices.Compact(many)) != maxSeedAddrs {
		t.Errorf("%d addresses of a thousand: %v", len(many), err)
	}
}

func TestCommandsNameSeeds(t *testing.T) {
	needShell(t)
	found, err := seed{"exec", "echo a:1; echo '# no'; echo b:2"}.find(t.Context(), nil)
	if err != nil || !slices.Equal(found, []string{"a:1", "b:2"}) {
		t.Errorf("got %v, %v", found, err)
	}
	for command, want := range map[string]string{"echo here": `line 1: "here" is not host:port`, "echo sorry >&2; exit 3": "exit status 3: sorry"} {
		if _, err := (seed{"exec", command}).find(t.Context(), nil); err == nil || err.Error() != want {
			t.Errorf("%s: got %v", command, err)
		}
	}
}

func TestSeekerFindsThoseWhoComeLaterAndEndsBeforeAGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		names := &phoneBook{hosts: map[string][]netip.Addr{"cluster": {netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")}}}
		node := memNode(t, network, "10.0.0.1:1")
		k := newSeeker(node, names, slog.New(slog.DiscardHandler), nil)
		k.use([]string{"dns+cluster:1"})
		k.start()
		time.Sleep(time.Minute)
		if !k.alone() || !k.wanted() {
			t.Error("it is not alone")
		}
		other := memNode(t, network, "10.0.0.2:1")
		time.Sleep(3 * time.Minute)
		if k.alone() {
			t.Error("it did not find the other one")
		}
		k.stop()
		k.stop()
		if err := node.Leave(t.Context()); err != nil {
			t.Error(err)
		}
		k.use([]string{"10.0.0.2:1"})
		time.Sleep(10 * time.Minute)
		if m, ok := other.Member(node.Self().Addr()); !ok || m.State != selkie.Left {
			t.Errorf("it came back: %v", m)
		}
	})
}

// memNode returns a node in a network in memory.
func memNode(t *testing.T, network *mem.Network, at string) *selkie.Node {
	t.Helper()
	conn, err := network.Listen(netip.MustParseAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	node, err := selkie.Start(t.Context(), selkie.Config{Transport: conn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { node.Close() })
	return node
}
