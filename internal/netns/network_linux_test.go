package netns

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// A namespace is a network namespace. It has no name, and ends with the last
// thread, process and file that refer to it.
type namespace struct {
	file  *os.File
	calls chan func() // carried out by the thread that is in it
}

// newNamespace returns a new one, ended at the end of the test.
func newNamespace(t *testing.T) *namespace {
	t.Helper()
	n := &namespace{calls: make(chan func())}
	made := make(chan error)
	go n.inhabit(made)
	if err := <-made; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		close(n.calls)
		n.file.Close()
	})
	return n
}

// inhabit is the thread of a namespace. It never unlocks, so the thread ends with
// it and nothing else ever runs in the namespace.
func (n *namespace) inhabit(made chan<- error) {
	runtime.LockOSThread()
	err := syscall.Unshare(syscall.CLONE_NEWNET)
	if err == nil {
		n.file, err = os.Open("/proc/thread-self/ns/net")
	}
	made <- err
	if err != nil {
		return
	}
	for call := range n.calls {
		call()
	}
}

// do has f called in the namespace: what it opens and starts is in there.
func (n *namespace) do(f func()) {
	done := make(chan struct{})
	n.calls <- func() {
		defer close(done)
		f()
	}
	<-done
}

// path is where other processes find the namespace.
func (n *namespace) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.file.Fd()) }

// run runs a command in the namespace and returns what it says.
func (n *namespace) run(input, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(input)
	var out []byte
	var err error
	n.do(func() { out, err = cmd.CombinedOutput() })
	if err != nil {
		err = fmt.Errorf("%v: %w: %s, of\n%s", cmd, err, out, input)
	}
	return string(out), err
}

func (n *namespace) must(t *testing.T, input, name string, args ...string) string {
	t.Helper()
	out, err := n.run(input, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A network is a bridge with namespaces around it, each with addresses in
// 10.77.0.0/24.
type network struct {
	hub   *namespace
	ports []*namespace
}

// newNetwork returns a network with so many ports. Port i has the address host(i).
func newNetwork(t *testing.T, ports int) *network {
	t.Helper()
	n := &network{hub: newNamespace(t)}
	var plan strings.Builder
	fmt.Fprintln(&plan, "link add name hub type bridge")
	fmt.Fprintln(&plan, "link set hub up")
	for i := range ports {
		p := newNamespace(t)
		n.ports = append(n.ports, p)
		fmt.Fprintf(&plan, "link add name port%d type veth peer name eth0 address %v netns %s\n", i, hardware(i), p.path())
		fmt.Fprintf(&plan, "link set port%d master hub up\n", i)
	}
	n.hub.must(t, plan.String(), "ip", "-batch", "-")
	for i, p := range n.ports {
		p.must(t, fmt.Sprintf("link set lo up\naddr add %v/24 dev eth0\nlink set eth0 up\n", host(i))+neighbours(i, ports), "ip", "-batch", "-")
	}
	return n
}

// neighbours introduces all ports to one of them. The kernel shares one small table
// of those that it finds out among all namespaces, and for one entry too many
// somebody can not be reached; these do not count.
func neighbours(of, ports int) string {
	var plan strings.Builder
	for i := range ports {
		if i != of {
			fmt.Fprintf(&plan, "neigh add %v lladdr %v dev eth0 nud permanent\n", host(i), hardware(i))
		}
	}
	return plan.String()
}

// hardware returns the hardware address of a port.
func hardware(i int) net.HardwareAddr { return net.HardwareAddr{2, 0, 10, 77, 0, byte(1 + i)} }

// host returns the address of a port.
func host(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 77, 0, byte(1 + i)}) }

// hosts returns the addresses of ports as a set of nft.
func hosts(first, end int) string {
	return fmt.Sprintf("%v-%v", host(first), host(end-1))
}

// lose has the bridge do to what passes through it as rules of nft say. Without
// rules it forwards everything.
func (n *network) lose(t *testing.T, rules ...string) {
	t.Helper()
	n.hub.filter(t, "bridge", "forward", rules...)
}

// filter replaces the rules of a namespace. Packets that these count have the
// counters "one" and "two".
func (n *namespace) filter(t *testing.T, family, hook string, rules ...string) {
	t.Helper()
	n.must(t, fmt.Sprintf(`
table %[1]s fault
delete table %[1]s fault
table %[1]s fault {
	counter one {}
	counter two {}
	chain only {
		type filter hook %[2]s priority 0
		%[3]s
	}
}
`, family, hook, strings.Join(rules, "\n\t\t")), "nft", "-f", "-")
}

// A tally is what a counter has counted.
type tally struct{ packets, bytes int }

var counted = regexp.MustCompile(`packets (\d+) bytes (\d+)`)

// count reads a counter of the rules of a namespace.
func (n *namespace) count(t *testing.T, family, counter string) (c tally) {
	t.Helper()
	out := n.must(t, "", "nft", "list", "counter", family, "fault", counter)
	found := counted.FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("no counter in %s", out)
	}
	c.packets, _ = strconv.Atoi(found[1])
	c.bytes, _ = strconv.Atoi(found[2])
	return c
}

// lacking says why there can be no networks here, if so.
var lacking = sync.OnceValue(func() string {
	if os.Getuid() != 0 {
		return "only root may make network namespaces"
	}
	for _, command := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(command); err != nil {
			return err.Error()
		}
	}
	trial := &namespace{calls: make(chan func())}
	defer close(trial.calls)
	made := make(chan error)
	go trial.inhabit(made)
	if err := <-made; err != nil {
		return "no network namespace: " + err.Error()
	}
	defer trial.file.Close()
	const rules = `table bridge fault { chain only { type filter hook forward priority 0; meta length > 600 numgen random mod 100 < 10 drop; }; }`
	if _, err := trial.run(rules, "nft", "-f", "-"); err != nil {
		return "no packet filter: " + err.Error()
	}
	if _, err := trial.run("link add name hub type bridge\nlink add name left type veth peer name right\n", "ip", "-batch", "-"); err != nil {
		return "no bridge: " + err.Error()
	}
	return ""
})
