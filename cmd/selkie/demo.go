package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/selkie-go/selkie"
	"github.com/spf13/cobra"
)

func (a *app) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Watch a real cluster for a few seconds",
		Long: `Start five agents on this machine, each a process of its own, and show what they
make of it when one is killed, returns, and when one leaves. Everything is over
after a few seconds. If something did not happen, the exit code is 1.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.demo(c.Context())
		},
	}
}

// The demo ends by itself: every step has its time, and all of them have
// theirs together.
const (
	demoAgents = 5
	demoStep   = 8 * time.Second
	demoTime   = 18 * time.Second
)

// A demo is five agents, and what each of them is known to believe.
type demo struct {
	ctx      context.Context
	patience time.Duration // most time for a step
	page     *page
	program  string
	dir      string // for the sockets and the key
	agents   [demoAgents]*demoAgent
	reported chan report
	quit     chan struct{} // closed when nobody reads reports any more
}

// A demoAgent is one of the processes.
type demoAgent struct {
	number  int
	addr    string // once it is bound
	process *exec.Cmd
	input   io.Closer // as long as it is open, the agent stays
	believe beliefs
	mourned map[string]bool // whom it reported down, by address
}

// A report is an event that an agent reported.
type report struct {
	by    *demoAgent
	event eventInfo
}

func (a *app) demo(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, demoTime, errors.New("the demo took too long"))
	defer cancel()
	program, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "selkie-demo")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	d := newDemo(ctx, demoStep, a.out, program, dir)
	defer d.stop()
	d.page.title("Five agents on this machine. One will be killed and return, one will leave.")
	key, err := d.makeKey()
	if err != nil {
		return err
	}
	d.page.note(fmt.Sprintf("All that they say to each other is sealed, with key %v, made just now.", key))
	if err := d.play(); err != nil {
		return err
	}
	d.page.last("Everything happened as it should.")
	return nil
}

func newDemo(ctx context.Context, patience time.Duration, w io.Writer, program, dir string) *demo {
	return &demo{
		ctx: ctx, patience: patience, page: newPage(w), program: program, dir: dir,
		reported: make(chan report), quit: make(chan struct{}),
	}
}

// makeKey makes a key that ends with the demo, and returns its name.
func (d *demo) makeKey() (selkie.KeyID, error) {
	key := selkie.NewKey()
	return key.ID(), createKeyFile(d.keyFile(), key)
}

func (d *demo) keyFile() string { return filepath.Join(d.dir, "key") }

// play goes through the steps.
func (d *demo) play() error {
	if err := d.start(); err != nil {
		return err
	}
	victim, leaver := d.agents[2], d.agents[4]
	life, err := d.kill(victim)
	if err != nil {
		return err
	}
	if err := d.restart(victim, life); err != nil {
		return err
	}
	return d.leave(leaver)
}

func (d *demo) start() error {
	d.page.step("start", "five agents; each is told of the first one only")
	for i := range d.agents {
		d.agents[i] = &demoAgent{number: i + 1, mourned: make(map[string]bool)}
		if err := d.launch(d.agents[i]); err != nil {
			return err
		}
		d.page.detail(d.agents[i], "is at "+d.agents[i].addr)
	}
	began := time.Now()
	err := d.await("find each other", d.agents[:], func(g *demoAgent) (string, bool) {
		return "knows all five", g.believe.alive() == demoAgents
	})
	if err != nil {
		return err
	}
	d.page.result("found", "all five know each other, %s after the last one started", d.page.took(began))
	return nil
}

// kill ends an agent without a word, and returns which life that was.
func (d *demo) kill(victim *demoAgent) (life uint64, err error) {
	life = d.agents[0].believe[victim.addr].Generation
	d.page.step("kill", "agent %d, with SIGKILL", victim.number)
	began := time.Now()
	if err := victim.process.Process.Kill(); err != nil {
		return 0, err
	}
	victim.process.Wait() // it says that it was killed
	err = d.await(fmt.Sprintf("report agent %d down", victim.number), d.but(victim), func(g *demoAgent) (string, bool) {
		m := g.believe[victim.addr]
		return fmt.Sprintf("reports agent %d down", victim.number), m.State == "down" && m.Generation == life
	})
	if err != nil {
		return 0, err
	}
	d.page.result("down", "all four know, %s after the kill", d.page.took(began))
	return life, nil
}

// restart brings an agent back under the address that it had.
func (d *demo) restart(g *demoAgent, before uint64) error {
	d.page.step("return", "agent %d, under the same address", g.number)
	began := time.Now()
	if err := d.launch(g); err != nil {
		return err
	}
	err := d.await(fmt.Sprintf("report the new life of agent %d", g.number), d.agents[:], func(o *demoAgent) (string, bool) {
		if o == g {
			return "knows all five again", g.believe.alive() == demoAgents
		}
		m := o.believe[g.addr]
		return fmt.Sprintf("reports a new life of agent %d", g.number), m.State == "alive" && m.Generation > before
	})
	if err != nil {
		return err
	}
	d.page.result("alive", "all know, %s after the start", d.page.took(began))
	return nil
}

// leave lets an agent say goodbye. Nobody may take that for a death.
func (d *demo) leave(leaver *demoAgent) error {
	d.page.step("leave", "agent %d says goodbye", leaver.number)
	began := time.Now()
	leaver.input.Close()
	err := d.await(fmt.Sprintf("report that agent %d left", leaver.number), d.but(leaver), func(g *demoAgent) (string, bool) {
		return fmt.Sprintf("reports that agent %d left", leaver.number), g.believe[leaver.addr].State == "left"
	})
	if err != nil {
		return err
	}
	if err := leaver.process.Wait(); err != nil {
		return fmt.Errorf("agent %d did not end as it should: %w", leaver.number, err)
	}
	for _, g := range d.but(leaver) {
		if g.mourned[leaver.addr] {
			return fmt.Errorf("agent %d reported agent %d down, although it left", g.number, leaver.number)
		}
	}
	d.page.result("left", "all four know, %s after the goodbye; none reported a death", d.page.took(began))
	return nil
}

// but returns all agents except one.
func (d *demo) but(g *demoAgent) []*demoAgent {
	var others []*demoAgent
	for _, o := range d.agents {
		if o != g {
			others = append(others, o)
		}
	}
	return others
}

// await takes reports until those who are asked have each seen what it is
// about, and prints each of them when it has.
func (d *demo) await(what string, asked []*demoAgent, seen func(*demoAgent) (string, bool)) error {
	ctx, cancel := context.WithTimeoutCause(d.ctx, d.patience, errors.New("it did not happen in time"))
	defer cancel()
	missing := make(map[*demoAgent]bool, len(asked))
	for _, g := range asked {
		missing[g] = true
	}
	for {
		for _, g := range asked {
			if text, ok := seen(g); ok && missing[g] {
				delete(missing, g)
				d.page.detail(g, text)
			}
		}
		if len(missing) == 0 {
			return nil
		}
		select {
		case r := <-d.reported:
			r.by.learn(r.event)
		case <-ctx.Done():
			if d.ctx.Err() != nil {
				return context.Cause(d.ctx)
			}
			return fmt.Errorf("agent %s did not %s within %v", numbers(asked, missing), what, d.patience)
		}
	}
}

// numbers lists the agents that are missing, in order.
func numbers(asked []*demoAgent, missing map[*demoAgent]bool) string {
	var list []string
	for _, g := range asked {
		if missing[g] {
			list = append(list, fmt.Sprint(g.number))
		}
	}
	return strings.Join(list, ", ")
}

// learn changes what an agent is known to believe.
func (g *demoAgent) learn(e eventInfo) {
	g.believe = g.believe.learn(e)
	if e.Kind == "down" {
		g.mourned[e.Addr] = true
	}
}

// launch starts an agent at its address, or at any if it has none yet, and
// begins to take its reports.
func (d *demo) launch(g *demoAgent) error {
	admin := endpoint{"unix", filepath.Join(d.dir, fmt.Sprintf("%d.sock", g.number))}
	args := []string{"selkie", "agent", "--profile", "local", "--cluster", filepath.Base(d.dir), "--key-file", d.keyFile(),
		"--log-level", "error", "--while-input", "--admin", admin.String(), "--bind"}
	if g.addr == "" {
		args = append(args, "127.0.0.1:0")
	} else {
		args = append(args, g.addr)
	}
	if first := d.agents[0]; g != first {
		args = append(args, "--join", first.addr)
	}
	var complaint strings.Builder
	// The context keeps an agent that hangs from making the demo hang.
	g.process = exec.CommandContext(d.ctx, d.program)
	g.process.Args, g.process.Stderr = args, &complaint
	output, err := g.process.StdoutPipe()
	if err != nil {
		return err
	}
	if g.input, err = g.process.StdinPipe(); err != nil {
		return err
	}
	if err := g.process.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		g.process.Wait() // it has said why
		if d.ctx.Err() != nil {
			return fmt.Errorf("agent %d did not start: %w", g.number, context.Cause(d.ctx))
		}
		return fmt.Errorf("agent %d did not start: %s", g.number, strings.TrimPrefix(strings.TrimSpace(complaint.String()), "selkie: "))
	}
	g.addr, g.believe = strings.TrimSpace(line), nil
	go d.listen(g, newClient(admin))
	return nil
}

// listen passes on what an agent reports, for as long as it lives.
func (d *demo) listen(g *demoAgent, agent *client) {
	for e, err := range agent.events(d.ctx) {
		if err != nil {
			return
		}
		select {
		case d.reported <- report{g, e}:
		case <-d.quit:
			return
		}
	}
}

// stop ends what is left of the agents. Nothing depends on their goodbyes.
func (d *demo) stop() {
	close(d.quit)
	for _, g := range d.agents {
		if g != nil && g.process != nil && g.process.Process != nil && g.process.ProcessState == nil {
			g.process.Process.Kill()
			g.process.Wait()
		}
	}
}

// A page is what the demo prints: one line for everything that happens, with
// the time since the start.
type page struct {
	w       io.Writer
	colours bool
	began   time.Time
}

func newPage(w io.Writer) *page {
	return &page{w: w, colours: colourful(w), began: time.Now()}
}

// Colours of terminals.
const (
	bold  = "1"
	faint = "2"
	green = "32"
)

func (p *page) paint(colour, text string) string {
	if !p.colours {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func (p *page) title(text string) { fmt.Fprintf(p.w, "\n  %s\n", text) }

// note prints a line below the title.
func (p *page) note(text string) { fmt.Fprintf(p.w, "  %s\n", text) }

// step prints what is done to the agents.
func (p *page) step(name, format string, args ...any) {
	fmt.Fprintf(p.w, "\n  %s  %s  %s\n", p.now(), p.paint(bold, fmt.Sprintf("%-6s", name)), fmt.Sprintf(format, args...))
}

// detail prints what one agent says.
func (p *page) detail(g *demoAgent, text string) {
	fmt.Fprintf(p.w, "  %s          %d %s\n", p.now(), g.number, p.paint(faint, text))
}

// result prints that a step has happened.
func (p *page) result(name, format string, args ...any) {
	fmt.Fprintf(p.w, "  %s  %s  %s\n", p.now(), p.paint(green, fmt.Sprintf("%-6s", name)), fmt.Sprintf(format, args...))
}

func (p *page) last(text string) { fmt.Fprintf(p.w, "\n  %s  %s\n\n", p.now(), text) }

func (p *page) now() string {
	return p.paint(faint, fmt.Sprintf("%6.2fs", time.Since(p.began).Seconds()))
}

func (p *page) took(since time.Time) string {
	return fmt.Sprintf("%.2fs", time.Since(since).Seconds())
}
