package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/selkie-go/selkie/sim"
	"github.com/spf13/cobra"
)

func (a *app) simRunCommand() *cobra.Command {
	s := script{seed: 1}
	var v viewing
	c := &cobra.Command{
		Use:   "run",
		Short: "Run one cluster, with what shall go wrong in it",
		Long: `Run a cluster of --nodes under virtual time, --form for the nodes to find each
other and --for of what the flags say, and print what happened and how fast it
became known.

The nodes are numbered from 0. K stands for some of them: 3, 0-4, 0,2,7-9,
random:5, all, or rest, which is who is not named elsewhere in the same flag.
T is when it happens, since the end of --form, and D for how long. Flags for
what goes wrong may be repeated.`,
		Example: `  selkie sim run --nodes 32 --for 10m --crash 3@1m --loss 0.05
  selkie sim run --nodes 9 --for 5m --partition 0-4/rest@30s+1m
  selkie sim run --nodes 16 --for 5m --profile wan --pause random:2@1m+20s -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			plan, err := s.plan(c, a.in)
			if err != nil {
				return err
			}
			if err := v.check(a.output); err != nil {
				return err
			}
			return a.view(c.Context(), &v, plan)
		},
	}
	s.add(c)
	v.add(c)
	return a.prints(c, "text", "json")
}

// A script is what the flags say that a run is going to be.
type script struct {
	nodes     int
	span      time.Duration
	form      time.Duration
	seed      uint64
	profile   string
	wire      simWireFlag
	loss      float64
	duplicate float64
	faults    []faultFlag
	heal      bool
	file      string

	joined int // nodes that come later, so far
}

// A faultFlag is a fault as it was typed.
type faultFlag struct {
	verb *faultVerb
	text string
}

// A faultVerb is a flag that makes something go wrong.
type faultVerb struct {
	kind         sim.FaultKind // and the name of the flag
	value, usage string
	lasts        duration
}

// A duration says whether a fault has one.
type duration uint8

const (
	never duration = iota
	mayHave
	mustHave
)

var faultVerbs = []faultVerb{
	{sim.FaultCrash, "K@T[+D]", "K end without a word, and start again after D", mayHave},
	{sim.FaultRestart, "K@T", "K end, and start again at once", never},
	{sim.FaultPause, "K@T+D", "K stop for D, while their clocks go on", mustHave},
	{sim.FaultFreeze, "K@T+D", "K stop for D, and their clocks too", mustHave},
	{sim.FaultLeave, "K@T", "K say goodbye", never},
	{sim.FaultJoin, "COUNT@T[+D]", "so many new nodes start, spread over D", mayHave},
	{sim.FaultMetadata, "K@T", "what K say about themselves has a new version", never},
	{sim.FaultBroadcast, "K@T", "K broadcast a payload", never},
	{sim.FaultDamage, "K@T", "the memory of K is damaged", never},
	{sim.FaultRotate, "GRACE@T+D", "the key of a sealed cluster is replaced, each of the three steps within a third of D; the old one is accepted for GRACE once nobody uses it", mustHave},
	{sim.FaultPartition, "K/K@T[+D]", "no packet passes between the groups, two or more", mayHave},
}

// faultFlags is the value of the flag of a verb. What all of them take goes
// into one list, in the order in which it was typed.
type faultFlags struct {
	verb *faultVerb
	list *[]faultFlag
}

func (f *faultFlags) String() string { return "" }
func (f *faultFlags) Type() string   { return f.verb.value }
func (f *faultFlags) Set(s string) error {
	*f.list = append(*f.list, faultFlag{f.verb, s})
	return nil
}

func (s *script) add(c *cobra.Command) {
	f := c.Flags()
	f.IntVar(&s.nodes, "nodes", 16, "how many nodes")
	f.DurationVar(&s.span, "for", 5*time.Minute, "how much virtual time, after --form")
	f.DurationVar(&s.form, "form", 30*time.Second, "how much virtual time to find each other")
	f.Var(&seedValue{seed: &s.seed}, "seed", "where the luck comes from")
	var names []string
	for _, p := range sim.Profiles() {
		names = append(names, p.Name)
	}
	s.profile = names[0]
	f.Var(&choice{&s.profile, names}, "profile", "the network, and the configuration for it")
	complete(c, "profile", func() []string { return names })
	s.wire.of(c, "what the nodes speak; with foca's, those with odd numbers do what foca does; sealed, they have keys")
	f.Float64Var(&s.loss, "loss", 0, "the probability that a packet is lost")
	f.Float64Var(&s.duplicate, "duplicate", 0, "the probability that a packet arrives twice")
	for i := range faultVerbs {
		f.Var(&faultFlags{&faultVerbs[i], &s.faults}, string(faultVerbs[i].kind), faultVerbs[i].usage)
	}
	f.BoolVar(&s.heal, "heal", false, "afterwards end all that goes wrong; then all must agree in the time that the protocol promises")
	f.StringVar(&s.file, "plan", "", "a file with a plan, or a saved bug, instead of all that; - is standard input")
}

// spoken is the wire of the nodes.
func (s *script) spoken() sim.Wire {
	if wire := s.wire.wire(); wire != nil {
		return *wire
	}
	return sim.WirePlain
}

// mostNodes is how many nodes a run may have. Full views of them need some 12 GB.
const mostNodes = 10_000

// plan returns what is going to happen, or says which flag makes no sense.
func (s *script) plan(c *cobra.Command, in io.Reader) (sim.Plan, error) {
	if s.file != "" {
		return s.read(c, in)
	}
	switch {
	case s.nodes < 1 || s.nodes > mostNodes:
		return sim.Plan{}, fail(exitUsage, "--nodes %d must be from 1 to %d", s.nodes, mostNodes)
	case s.span <= 0:
		return sim.Plan{}, fail(exitUsage, "--for %v must be more than 0", s.span)
	case s.form < 0:
		return sim.Plan{}, fail(exitUsage, "--form %v must not be less than 0", s.form)
	case !(s.loss >= 0 && s.loss <= 1):
		return sim.Plan{}, fail(exitUsage, "--loss %v must be from 0 to 1", s.loss)
	case !(s.duplicate >= 0 && s.duplicate <= 1):
		return sim.Plan{}, fail(exitUsage, "--duplicate %v must be from 0 to 1", s.duplicate)
	}
	p := sim.Plan{Seed: s.seed, Profile: s.profile, Wire: s.spoken(), Nodes: s.nodes, Form: s.form, For: s.span}
	if s.loss > 0 || s.duplicate > 0 {
		p.Faults = append(p.Faults, sim.Fault{Name: "link", Kind: sim.FaultLink, Link: &sim.Link{Loss: s.loss, Duplicate: s.duplicate}})
	}
	for i, f := range s.faults {
		fault, err := s.parse(i, f)
		if err != nil {
			return sim.Plan{}, fail(exitUsage, "--%s %s: %w", f.verb.kind, f.text, err)
		}
		p.Faults = append(p.Faults, fault)
	}
	if s.heal {
		for n := range s.nodes + s.joined {
			p.Core = append(p.Core, uint32(n))
		}
	}
	return p, nil
}

// read returns the plan of a file.
func (s *script) read(c *cobra.Command, in io.Reader) (sim.Plan, error) {
	for _, flag := range []string{"nodes", "for", "form", "seed", "profile", "wire", "loss", "duplicate", "heal"} {
		if c.Flags().Changed(flag) {
			return sim.Plan{}, fail(exitUsage, "--%s and --plan can not both be given", flag)
		}
	}
	if len(s.faults) > 0 {
		return sim.Plan{}, fail(exitUsage, "--%s and --plan can not both be given", s.faults[0].verb.kind)
	}
	var text []byte
	var err error
	if s.file == "-" {
		text, err = io.ReadAll(in)
	} else {
		text, err = os.ReadFile(s.file)
	}
	if err != nil {
		return sim.Plan{}, fail(exitUsage, "--plan: %w", err)
	}
	// A plan by itself, or the bug that it shows, or the output of a run.
	var file struct {
		sim.Plan
		Inner sim.Plan `json:"Plan"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return sim.Plan{}, fail(exitUsage, "--plan %s: %w", s.file, err)
	}
	for _, p := range []sim.Plan{file.Plan, file.Inner} {
		if p.Nodes > 0 {
			return p, s.checkFile(&p)
		}
	}
	return sim.Plan{}, fail(exitUsage, "--plan %s is no plan: it has no nodes", s.file)
}

// checkFile says what is wrong with a plan of a file.
func (s *script) checkFile(p *sim.Plan) error {
	known := func(q sim.Profile) bool { return q.Name == p.Profile }
	switch {
	case p.Nodes > mostNodes:
		return fail(exitUsage, "--plan %s has more than %d nodes", s.file, mostNodes)
	case !slices.ContainsFunc(sim.Profiles(), known):
		return fail(exitUsage, "--plan %s: there is no profile %q", s.file, p.Profile)
	}
	kinds := sim.FaultKinds()
	for _, f := range p.Faults {
		switch {
		case !slices.Contains(kinds, f.Kind):
			return fail(exitUsage, "--plan %s: %s is of no kind that there is: %q", s.file, f.Name, f.Kind)
		case f.Kind == sim.FaultLink && f.Link == nil:
			return fail(exitUsage, "--plan %s: %s has no link", s.file, f.Name)
		}
	}
	return nil
}

// parse returns the fault that a flag asks for.
func (s *script) parse(number int, f faultFlag) (fault sim.Fault, err error) {
	fault = sim.Fault{Name: fmt.Sprintf("%s-%d", f.verb.kind, number), Kind: f.verb.kind}
	var who string
	if who, fault.At, fault.For, err = f.split(s.span); err != nil {
		return fault, err
	}
	switch f.verb.kind {
	case sim.FaultJoin:
		fault.Nodes, err = s.newcomers(who)
		return fault, err
	case sim.FaultRotate:
		fault.Amount, err = s.grace(who)
		return fault, err
	}
	groups, err := s.groups(who, number)
	if err != nil {
		return fault, err
	}
	switch {
	case f.verb.kind == sim.FaultPartition && len(groups) < 2:
		return fault, errors.New("it takes two groups of nodes or more, such as 0-4/rest")
	case f.verb.kind == sim.FaultPartition:
		fault.Groups = groups
	case len(groups) > 1:
		return fault, fmt.Errorf("it takes one group of nodes, not %d", len(groups))
	default:
		fault.Nodes = groups[0]
	}
	return fault, nil
}

// grace returns for how long a key is accepted that nobody uses.
func (s *script) grace(text string) (int64, error) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, err
	case d < 0:
		return 0, fmt.Errorf("%v must not be less than 0", d)
	case s.spoken() != sim.WireSealed:
		return 0, errors.New("there are keys only with --wire sealed")
	}
	return int64(d), nil
}

// newcomers returns so many nodes that there are not yet.
func (s *script) newcomers(text string) (sim.Set, error) {
	count, err := strconv.Atoi(text)
	if most := mostNodes - s.nodes - s.joined; err != nil || count < 1 || count > most {
		return nil, fmt.Errorf("%q is not a number from 1 to %d", text, most)
	}
	var set sim.Set
	for range count {
		set = append(set, uint32(s.nodes+s.joined))
		s.joined++
	}
	return set, nil
}

// split takes K@T+D apart.
func (f faultFlag) split(most time.Duration) (who string, at, span time.Duration, err error) {
	who, when, ok := strings.Cut(f.text, "@")
	if !ok {
		return "", 0, 0, fmt.Errorf("it lacks @ and when: it takes %s", f.verb.value)
	}
	begin, length, long := strings.Cut(when, "+")
	if at, err = time.ParseDuration(begin); err != nil {
		return "", 0, 0, err
	}
	if at < 0 || at > most {
		return "", 0, 0, fmt.Errorf("%v is not within --for %v", at, most)
	}
	switch {
	case long && f.verb.lasts == never:
		return "", 0, 0, fmt.Errorf("it has no duration: it takes %s", f.verb.value)
	case !long && f.verb.lasts == mustHave:
		return "", 0, 0, fmt.Errorf("it lacks + and for how long: it takes %s", f.verb.value)
	case long:
		if span, err = time.ParseDuration(length); err == nil && span <= 0 {
			err = fmt.Errorf("%v must be more than 0", span)
		}
	}
	return who, at, span, err
}

// groups returns the nodes that a text names, by the groups that slashes
// separate. No node may be in two of them.
func (s *script) groups(text string, number int) ([]sim.Set, error) {
	luck := rand.New(rand.NewPCG(s.seed, uint64(number)))
	parts := strings.Split(text, "/")
	groups := make([]sim.Set, len(parts))
	named := make([]bool, s.nodes)
	rest := -1
	for i, part := range parts {
		if part == "rest" {
			if rest >= 0 {
				return nil, errors.New("rest can be only one group")
			}
			rest = i
			continue
		}
		group, err := parseNodes(part, s.nodes, luck)
		if err != nil {
			return nil, err
		}
		for _, n := range group {
			if named[n] {
				return nil, fmt.Errorf("node %d is named twice", n)
			}
			named[n] = true
		}
		groups[i] = group
	}
	if rest >= 0 {
		for n := range s.nodes {
			if !named[n] {
				groups[rest] = append(groups[rest], uint32(n))
			}
		}
		if len(groups[rest]) == 0 {
			return nil, errors.New("no node is left for rest")
		}
	}
	return groups, nil
}

// parseNodes returns the nodes that a text such as 0,2,7-9 or random:5 names.
func parseNodes(text string, nodes int, luck *rand.Rand) (sim.Set, error) {
	if text == "all" {
		text = fmt.Sprintf("0-%d", nodes-1)
	}
	if count, ok := strings.CutPrefix(text, "random:"); ok {
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 || n > nodes {
			return nil, fmt.Errorf("%q is not a number from 1 to %d", count, nodes)
		}
		var set sim.Set
		for _, k := range luck.Perm(nodes)[:n] {
			set = append(set, uint32(k))
		}
		slices.Sort(set)
		return set, nil
	}
	var set sim.Set
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := parseNode(first, nodes)
		if err != nil {
			return nil, err
		}
		to, err := parseNode(last, nodes)
		if err != nil {
			return nil, err
		}
		if from > to {
			return nil, fmt.Errorf("%s goes backwards", part)
		}
		for n := from; n <= to; n++ {
			set = append(set, n)
		}
	}
	return set, nil
}

func parseNode(text string, nodes int) (uint32, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%q is no node", text)
	}
	if n < 0 || n >= nodes {
		return 0, fmt.Errorf("there is no node %d: they are 0 to %d", n, nodes-1)
	}
	return uint32(n), nil
}
