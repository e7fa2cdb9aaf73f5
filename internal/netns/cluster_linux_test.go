package netns

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/swim"
)

// size is how many members a cluster has.
const size = 20

// port is where they listen.
const port = 7946

// local is swim.Local, with the lost contacted as often as a test can wait for.
func local() swim.Config {
	c := swim.Local()
	c.AnnounceDown = swim.Task{Every: time.Second, Num: 2}
	return c
}

// How long things may take with local in a cluster of this size, at the most, as
// docs/protocol.md has it. Usually they are far quicker.
const (
	period = 200 * time.Millisecond
	// suspicion is the longest one: nobody confirms it.
	suspicion = 6250 * time.Millisecond
	// spread is how long gossip takes to reach everybody, with a good margin for a
	// busy machine.
	spread = 3 * time.Second
	// detection is how long a crash may go unnoticed: rule 4 has everybody probe
	// each other once within two rounds, then the suspicion, then the gossip.
	detection = (2*size-1)*period + 2*period + suspicion + spread
	// healing is how long two halves may need to find each other, with a seed: a
	// contact with each of the lost, then what they have to say.
	healing = (size/2+1+1)/2*time.Second + suspicion + spread
)

// A cluster is a network with a member at each of its ports.
type cluster struct {
	t       *testing.T
	network *network
	key     selkie.Key
	dir     string
	config  swim.Config
	begun   time.Time

	mu     sync.Mutex
	lives  []*life // all that there ever were
	agents [size]*life
}

// A life is one process of a member. What is below mu is guarded by that of the
// cluster.
type life struct {
	cluster *cluster
	index   int
	program program
	cmd     *exec.Cmd
	in      io.WriteCloser
	reports chan *report
	ended   chan struct{} // closed when all that it said was heard
	logs    tail

	paused bool // nobody expects anything of it
	dead   bool
	view   map[netip.AddrPort]member
	self   member
	heard  []line // but for snapshots and reports
}

// newCluster returns a network in which nobody lives yet. Extra ports are for
// strangers.
func newCluster(t *testing.T, extra int) *cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("runs processes for many seconds")
	}
	if why := lacking(); why != "" {
		t.Skip(why)
	}
	c := &cluster{t: t, key: selkie.NewKey(), dir: t.TempDir(), config: local(), begun: time.Now()}
	c.network = newNetwork(t, size+extra)
	t.Cleanup(c.end)
	return c
}

// end kills all processes, and shows what they said if the test failed.
func (c *cluster) end() {
	for _, l := range c.lives {
		l.kill()
	}
	if !c.t.Failed() {
		return
	}
	for _, l := range c.lives {
		c.t.Logf("member %d, process %d, said:\n%s", l.index, l.cmd.Process.Pid, l.logs.String())
	}
}

// addr returns the address of a member.
func addr(i int) netip.AddrPort { return netip.AddrPortFrom(host(i), port) }

// start starts the process of a member. Members other than the first one have that
// as their seed, unless configure says otherwise.
func (c *cluster) start(i int, configure ...func(*program)) *life {
	c.t.Helper()
	l := &life{
		cluster: c,
		index:   i,
		program: program{
			Bind:     addr(i),
			Seeds:    []string{addr(0).String()},
			Key:      c.key.Reveal(),
			DataDir:  filepath.Join(c.dir, fmt.Sprint(i)),
			Name:     fmt.Sprintf("member-%d", i),
			Protocol: c.config,
		},
		reports: make(chan *report, 1),
		ended:   make(chan struct{}),
		view:    make(map[netip.AddrPort]member),
	}
	for _, f := range configure {
		f(&l.program)
	}
	if err := l.run(); err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lives = append(c.lives, l)
	c.agents[i] = l
	return l
}

// seedless is a member that knows nobody but from its directory.
func seedless(p *program) { p.Seeds = nil }

// run starts the process. It is killed if the process of the test ends: at the
// latest then does the thread end that started it.
func (l *life) run() error {
	if err := os.MkdirAll(l.program.DataDir, 0o700); err != nil {
		return err
	}
	text, err := json.Marshal(l.program)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	l.cmd = exec.Command(self)
	l.cmd.Env = append(os.Environ(), variable+"="+string(text))
	l.cmd.Stderr = &l.logs
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if l.in, err = l.cmd.StdinPipe(); err != nil {
		return err
	}
	l.cluster.network.ports[l.index].do(func() { err = l.cmd.Start() })
	if err != nil {
		return err
	}
	go l.listen(out)
	return nil
}

// listen hears what the process says.
func (l *life) listen(out io.Reader) {
	defer close(l.ended)
	for lines := json.NewDecoder(out); ; {
		var said line
		if lines.Decode(&said) != nil {
			return
		}
		if said.Report != nil {
			l.reports <- said.Report
			continue
		}
		l.hear(said)
	}
}

// hear folds an event into the view.
func (l *life) hear(e line) {
	l.cluster.mu.Lock()
	defer l.cluster.mu.Unlock()
	if e.Kind == "snapshot" {
		clear(l.view)
		for _, m := range e.Members {
			l.learn(m)
		}
		return
	}
	l.heard = append(l.heard, e)
	l.learn(e.Member)
}

func (l *life) learn(m member) {
	l.view[m.Addr] = m
	if m.Self {
		l.self = m
	}
}

// kill ends the process as SIGKILL does, and returns when it has ended. Killing
// again does nothing.
func (l *life) kill() {
	c := l.cluster
	c.mu.Lock()
	was := l.dead
	l.dead = true
	if c.agents[l.index] == l {
		c.agents[l.index] = nil
	}
	c.mu.Unlock()
	if was {
		return
	}
	l.cmd.Process.Kill()
	<-l.ended
	l.cmd.Wait()
}

// stop has the process stand still, and goOn has it go on.
func (l *life) stop() { l.signal(syscall.SIGSTOP, true) }
func (l *life) goOn() { l.signal(syscall.SIGCONT, false) }

func (l *life) signal(s syscall.Signal, paused bool) {
	l.cluster.mu.Lock()
	l.paused = paused
	l.cluster.mu.Unlock()
	if err := l.cmd.Process.Signal(s); err != nil {
		l.cluster.t.Error(err)
	}
}

// tell has the process broadcast a text.
func (l *life) tell(text string) {
	if _, err := fmt.Fprintln(l.in, "tell", text); err != nil {
		l.cluster.t.Error(err)
	}
}

// report asks the process for its state.
func (l *life) report() *report {
	l.cluster.t.Helper()
	if _, err := fmt.Fprintln(l.in, "report"); err != nil {
		l.cluster.t.Fatal(err)
	}
	select {
	case r := <-l.reports:
		return r
	case <-time.After(5 * time.Second):
	case <-l.ended:
	}
	l.cluster.t.Fatalf("member %d does not report", l.index)
	return nil
}

// living returns the processes that run.
func (c *cluster) living() []*life {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.agents[:]), func(l *life) bool { return l == nil })
}

// seen returns what a member knows of another one, or of itself.
func (c *cluster) seen(by, i int) member {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.agents[by].view[addr(i)]
}

// await waits until a condition holds, looking often, and returns how long that
// took. The condition says what is wrong, and nothing if it holds; the mutex is held.
func (c *cluster) await(what string, within time.Duration, wrong func() string) time.Duration {
	c.t.Helper()
	began := time.Now()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		c.mu.Lock()
		problem := wrong()
		c.mu.Unlock()
		took := time.Since(began)
		if problem == "" {
			c.t.Logf("%-50s after %6.2f s of %.2f", what, took.Seconds(), within.Seconds())
			return took
		}
		if took > within {
			c.t.Fatalf("%s: not within %v: %s", what, within, problem)
		}
		<-look.C
	}
}

// oneView says in what the processes differ about who takes part.
func (c *cluster) oneView() string {
	var running []*life
	for _, l := range c.agents {
		if l != nil && !l.paused {
			running = append(running, l)
		}
	}
	for _, l := range running {
		for _, other := range running {
			m, known := l.view[other.self.Addr]
			if !known || !m.active() || m.Generation != other.self.Generation {
				return fmt.Sprintf("%d holds %d to be %s of generation %d, which is of %d", l.index, other.index, m.State, m.Generation, other.self.Generation)
			}
		}
		active := 0
		for _, m := range l.view {
			if m.active() {
				active++
			}
		}
		if active != len(running) {
			return fmt.Sprintf("%d knows %d active members of %d", l.index, active, len(running))
		}
	}
	return ""
}

// awaitOneView waits until all processes agree about who takes part.
func (c *cluster) awaitOneView(within time.Duration) time.Duration {
	c.t.Helper()
	return c.await(fmt.Sprintf("one view of %d members", len(c.living())), within, c.oneView)
}

// awaitDescribed waits until everybody knows the name of everybody.
func (c *cluster) awaitDescribed(within time.Duration) {
	c.t.Helper()
	c.await("all names known", within, func() string {
		for _, l := range c.agents {
			for _, m := range l.view {
				if m.active() && m.Name == "" {
					return fmt.Sprintf("%d does not know the name of %v", l.index, m.Addr)
				}
			}
		}
		return ""
	})
}

// form starts everybody, and waits until they have one view.
func (c *cluster) form() {
	c.t.Helper()
	for i := range size {
		c.start(i)
	}
	c.awaitOneView(20 * time.Second)
}

// endure lets some time pass, in which nothing in particular is awaited.
func endure(d time.Duration) { <-time.After(d) }

// A sighting is an event, and who reported it.
type sighting struct {
	line
	by *life
}

// all returns the events of a kind, of all lives, in the order of time.
func (c *cluster) all(kind string) []sighting {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []sighting
	for _, l := range c.lives {
		for _, e := range l.heard {
			if e.Kind == kind {
				found = append(found, sighting{e, l})
			}
		}
	}
	slices.SortFunc(found, func(a, b sighting) int { return a.Time.Compare(b.Time) })
	return found
}

// wantNoDowns fails for every death that was reported and is not excused.
func (c *cluster) wantNoDowns(excused func(sighting) bool) {
	c.t.Helper()
	for _, s := range c.all("down") {
		if excused == nil || !excused(s) {
			c.t.Errorf("%v after the beginning %d held %v, generation %d, down: %s", s.Time.Sub(c.begun).Round(time.Millisecond), s.by.index, s.Member.Addr, s.Member.Generation, s.Cause)
		}
	}
}

// about excuses deaths of one member.
func about(i int) func(sighting) bool {
	return func(s sighting) bool { return s.Member.Addr == addr(i) }
}

// alone excuses verdicts that nobody shared (D17): one member whose own probes
// failed, and no other's. On a busy machine losses may add up to one.
func alone(s sighting) bool { return strings.Contains(s.Cause, "0 confirmed, own deadline") }

// summary logs how much happened.
func (c *cluster) summary() {
	c.t.Helper()
	var text strings.Builder
	for _, kind := range []string{"up", "suspect", "refuted", "down", "renamed", "rejoined"} {
		fmt.Fprintf(&text, " %s %d", kind, len(c.all(kind)))
	}
	var sum struct{ pauses, deaf, lone, renewals, probes, acks, lost uint64 }
	for _, l := range c.living() {
		if l.paused {
			continue
		}
		s := l.report().Stats
		sum.pauses += s.Protocol.Pauses
		sum.deaf += s.Protocol.Deaf
		sum.lone += s.Protocol.LoneVerdicts
		sum.renewals += s.Protocol.Renewals
		sum.probes += s.StreamProbes
		sum.acks += s.StreamAcks
		sum.lost += s.EventsLost
	}
	if sum.lost > 0 {
		c.t.Errorf("%d times events were lost", sum.lost)
	}
	c.t.Logf("events:%s; pauses %d, deaf %d, lone verdicts %d, renewals %d, probes over streams %d, acks %d; %v in all",
		text.String(), sum.pauses, sum.deaf, sum.lone, sum.renewals, sum.probes, sum.acks, time.Since(c.begun).Round(time.Millisecond))
}

// A tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text bytes.Buffer
}

const tailSize = 64 << 10

// Write implements [io.Writer].
func (l *tail) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text.Write(b); l.text.Len() > 2*tailSize {
		l.text.Next(l.text.Len() - tailSize)
	}
	return len(b), nil
}

// String returns it.
func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
