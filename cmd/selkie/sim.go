package main

import (
	"fmt"
	"math"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/selkie-go/selkie/sim"
	"github.com/spf13/cobra"
)

func (a *app) simCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "sim",
		Short: "Run whole clusters under virtual time",
		Long: `Run whole clusters in this process under virtual time: hours pass in seconds, no
packet leaves the machine, and everything that goes wrong follows from a seed.
After every step all nodes are held to the promises of the protocol, S1 to L12.
One that does not hold is printed with the seed that shows it, and the exit code
is 1.`,
		Example: `  selkie sim run --nodes 32 --for 10m --crash 3@1m --loss 0.05
  selkie sim swarm --for 1m
  selkie sim seed 1234 --explain`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fail(exitUsage, "unknown command %q for %q", args[0], c.CommandPath())
			}
			return c.Help()
		},
	}
	c.AddCommand(
		a.simRunCommand(), a.simSwarmCommand(), a.simSeedCommand(), a.simScenarioCommand(), a.simMutantsCommand(),
		a.simLedgerCommand(), a.simExperimentCommand(), a.simReportCommand(),
	)
	return c
}

// A mixture is from what plans are drawn, as the flags say it that several
// verbs share: a seed means the same to all of them only with the same flags.
type mixture struct {
	large       bool
	wire        simWireFlag
	nodes       int
	least, most time.Duration
}

// What is drawn if no flag says so.
const (
	defaultNodes = 64
	largeNodes   = 1000
	defaultLeast = 5 * time.Minute
	defaultMost  = time.Hour
)

func (m *mixture) add(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&m.large, "large", false, fmt.Sprintf("one cluster in fifty has up to %d nodes", largeNodes))
	f.IntVar(&m.nodes, "nodes", 0, fmt.Sprintf("most nodes of the other clusters (%d); more than that only with --large", defaultNodes))
	m.wire.of(c, "what the nodes speak; with foca's, half of them do what foca does (any: foca's in one of sixteen, sealed in one of four of the others)", anyWire)
	f.DurationVar(&m.least, "least", defaultLeast, "least virtual time in which things go wrong")
	f.DurationVar(&m.most, "most", defaultMost, "most virtual time in which things go wrong")
}

// drawing returns what draws a plan, or says which flag makes no sense.
func (m *mixture) drawing() (func(seed uint64) sim.Plan, error) {
	most := defaultNodes
	if m.large {
		most = largeNodes
	}
	switch {
	case m.nodes < 0 || m.nodes == 1:
		return nil, fail(exitUsage, "--nodes %d must be at least 2", m.nodes)
	case m.nodes > defaultNodes && !m.large:
		return nil, fail(exitUsage, "--nodes %d is more than %d: say --large", m.nodes, defaultNodes)
	case m.nodes > most:
		return nil, fail(exitUsage, "--nodes %d is more than %d", m.nodes, most)
	case m.least < time.Second:
		return nil, fail(exitUsage, "--least %v must be at least 1s", m.least)
	case m.least > m.most:
		return nil, fail(exitUsage, "--least %v is more than --most %v", m.least, m.most)
	}
	mix := sim.Mix{MaxNodes: m.nodes, Least: m.least, Most: m.most, Large: m.large, Wire: m.wire.wire()}
	return func(seed uint64) sim.Plan { return sim.Draw(seed, mix) }, nil
}

// String returns the flags that are not as they are by default, as they are
// typed.
func (m *mixture) String() string {
	var flags []string
	if m.large {
		flags = append(flags, "--large")
	}
	if m.nodes != 0 {
		flags = append(flags, fmt.Sprint("--nodes ", m.nodes))
	}
	if wire := m.wire.wire(); wire != nil {
		flags = append(flags, fmt.Sprint("--wire ", *wire))
	}
	if m.least != defaultLeast {
		flags = append(flags, fmt.Sprint("--least ", m.least))
	}
	if m.most != defaultMost {
		flags = append(flags, fmt.Sprint("--most ", m.most))
	}
	return strings.Join(flags, " ")
}

// replay returns the command line that shows a seed again.
func (m *mixture) replay(seed uint64) string {
	line := fmt.Sprintf("selkie sim seed %d --explain", seed)
	if flags := m.String(); flags != "" {
		line += " " + flags
	}
	return line
}

// A seedValue is the value of a flag that takes a seed, in any base.
type seedValue struct {
	seed *uint64
	set  bool
}

func (s *seedValue) String() string {
	if s.seed == nil || *s.seed == 0 {
		return ""
	}
	return strconv.FormatUint(*s.seed, 10)
}

func (s *seedValue) Set(text string) error {
	seed, err := parseSeed(text)
	if err != nil {
		return err
	}
	*s.seed, s.set = seed, true
	return nil
}

func (s *seedValue) Type() string { return "seed" }

func parseSeed(text string) (uint64, error) {
	seed, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number from 0 to %d", text, uint64(math.MaxUint64))
	}
	return seed, nil
}

// rehearse carries out what plan returns, as far as on allows.
func rehearse(plan func() sim.Plan, trace func(sim.Event), on func(*sim.World) bool) (r sim.Result, whole bool) {
	var p sim.Plan
	whole = true
	r = guarded(func() sim.Result {
		p = plan()
		r, whole = p.RunWhile(trace, on)
		return r
	})
	r.Plan = p
	return r, whole
}

// guarded returns the result of a run. A panic is a broken promise like any
// other, as nothing that happens may bring one about, and it does not end the
// runs beside it.
func guarded(run func() sim.Result) (r sim.Result) {
	defer func() {
		if v := recover(); v != nil {
			r.Violations = []sim.Violation{{Invariant: "S21", Text: fmt.Sprintf("panic: %v, %s", v, culprit(debug.Stack()))}}
		}
	}()
	return run()
}

// culprit returns the line of code that a stack says panicked.
func culprit(stack []byte) string {
	_, after, _ := strings.Cut(string(stack), "\npanic(")
	lines := strings.Split(after, "\n")
	for i, line := range lines {
		// After the line of panic itself and that of its file, calls and
		// files alternate.
		if i >= 2 && strings.HasPrefix(line, "\t") && !strings.Contains(line, "/runtime/") {
			at, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			return "at " + at[strings.LastIndex(at, "/")+1:]
		}
	}
	return "somewhere"
}

// A violationInfo is a broken promise, as it is printed.
type violationInfo struct {
	Seed      uint64  `json:"seed"`
	Invariant string  `json:"invariant"`
	Text      string  `json:"text"`
	At        string  `json:"at"`
	AtSeconds float64 `json:"at_seconds"`
	Node      uint32  `json:"node"`
	Replay    string  `json:"replay"`
}

func newViolationInfo(seed uint64, v sim.Violation, replay string) violationInfo {
	at := v.At.Sub(0)
	return violationInfo{Seed: seed, Invariant: v.Invariant, Text: v.Text, At: at.String(), AtSeconds: at.Seconds(), Node: v.Node, Replay: replay}
}
