package swim

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
)

// TestTranscripts plays the files of testdata and compares what comes out. A
// file is commands, each followed by a line of dashes and by its output up to
// an empty line; with -rewrite the outputs are written anew. What each command
// does stands at its case in script.command.
//
// A line of output is a moment, who, and what happened:
//
//	1.500s   a -> b  ping #1      a sends that to b
//	1.500s   a -x b  ping #1      the same, and it gets lost
//	1.500s   a  ! down b          the owner of a is told that
//	1.500s   a  . dropped: echo  a ignored something
//
// Behind the sender stands what its header says about itself, if that is not
// "alive 0"; behind announce and feed, how long they are.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(text), "# ") {
				t.Errorf("%s does not begin with a comment that says what it shows", path)
			}
			golden(t, filepath.Base(path), play(t, string(text)))
		})
	}
}

// play returns a transcript with the outputs that its commands have now.
func play(t *testing.T, text string) string {
	var out strings.Builder
	s := &script{t: t}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if line == "" || strings.HasPrefix(line, "#") {
			out.WriteString(line + "\n")
			continue
		}
		out.WriteString(line + "\n----\n")
		for i+1 < len(lines) && lines[i+1] != "" {
			i++
		}
		out.WriteString(s.play(line))
	}
	return out.String()
}

// A script is a cluster that is driven by the commands of a transcript.
type script struct {
	t      *testing.T
	c      *cluster
	out    strings.Builder
	hidden []string // messages that are not shown if they carry nothing
	shown  []string // if any, only what concerns these nodes is shown
	cuts   [][2]string
	before map[string]Stats // when the nodes had met
}

// play carries out one command and returns what came out.
func (s *script) play(line string) string {
	s.out.Reset()
	words := strings.Fields(line)
	if s.c == nil && words[0] != "cluster" {
		s.t.Fatalf("%q: there is no cluster yet", line)
	}
	if err := s.command(words[0], words[1:], line); err != nil {
		fmt.Fprintf(&s.out, "error: %v\n", err)
	}
	return s.out.String()
}

func (s *script) command(verb string, args []string, line string) error {
	c := s.c
	arg := func(i int) string {
		if i >= len(args) {
			s.t.Fatalf("%q: too few arguments", line)
		}
		return args[i]
	}
	do := func(input func(core *Core[who, string], rt Runtime[who]) error) error {
		return c.do(arg(0), input)
	}
	type core = *Core[who, string]
	type runtime = Runtime[who]
	switch verb {
	case "cluster": // cluster a b period=1s: these nodes, who do not know each other
		names, settings := split(args)
		s.c = newCluster(s.t, configure(s.t, quiet(), settings), names...)
		s.c.trace, s.c.hidden, s.c.lost = &s.out, s.hides, s.isCut
		s.before = make(map[string]Stats)
	case "meet": // they all join, and talk until nothing is left to tell; time begins after that
		c.trace = nil
		c.meet()
		c.run(max(20, time.Duration(4*len(c.nodes))) * c.cfg.Period)
		c.trace, c.origin = &s.out, c.now
		for _, n := range c.nodes {
			n.events, n.errs = nil, nil
			s.before[n.name] = n.core.Stats()
		}
	case "show": // show a b: only what concerns these; show all
		s.shown = args
		if arg(0) == "all" {
			s.shown = nil
		}
	case "hide": // hide ping ack: these messages, when they carry nothing; hide nothing
		s.hidden = args
	case "run": // run 2s
		c.run(duration(s.t, arg(0)))
	case "cut": // cut a->b c->*
		for _, link := range args {
			from, to, ok := strings.Cut(link, "->")
			if !ok {
				s.t.Fatalf("%q: want a->b", line)
			}
			s.cuts = append(s.cuts, [2]string{from, to})
		}
	case "heal":
		s.cuts = nil
	case "latency": // latency 300ms
		c.latency = duration(s.t, arg(0))
	case "crash":
		c.crash(arg(0))
	case "start": // start b 2 period=1s: a process at that address, in that life
		names, settings := split(args)
		life, err := strconv.Atoi(names[1])
		if err != nil {
			s.t.Fatal(line, err)
		}
		old := c.cfg
		c.cfg = configure(s.t, c.cfg, settings)
		c.start(names[0], life)
		c.cfg = old
	case "twin": // twin b 5: one more process at the address of b, called b'
		life, err := strconv.Atoi(arg(1))
		if err != nil {
			s.t.Fatal(line, err)
		}
		twin := c.start(arg(0)+"'", life)
		core, err := New(who{arg(0), life}, c.cfg, names, twin.core.rnd)
		if err != nil {
			s.t.Fatal(line, err)
		}
		twin.core = core
		twin.watch()
	case "pause":
		c.pause(arg(0))
	case "resume":
		c.resume(arg(0))
	case "announce": // announce a b: a asks the address of b
		return do(func(core core, rt runtime) error { return core.Announce(identity(s.t, arg(1)), rt) })
	case "seeds": // seeds a b c: a contacts these for ever
		return do(func(core core, rt runtime) error { return core.SetSeeds(identities(s.t, args[1:]), rt) })
	case "leave":
		return do(func(core core, rt runtime) error { return core.Leave(rt) })
	case "gossip":
		return do(func(core core, rt runtime) error { return core.Gossip(rt) })
	case "identity": // identity b b7: b becomes b7
		return do(func(core core, rt runtime) error { return core.ChangeIdentity(identity(s.t, arg(1)), rt) })
	case "reuse":
		return do(func(core core, rt runtime) error { return core.ReuseIdentity(rt) })
	case "metadata": // metadata b 3
		version, err := strconv.ParseUint(arg(1), 10, 64)
		if err != nil {
			s.t.Fatal(line, err)
		}
		return do(func(core core, rt runtime) error { return core.SetMetadata(version, rt) })
	case "add": // add a x=1: a payload to broadcast
		return do(func(core core, rt runtime) error {
			accepted, err := core.AddBroadcast([]byte(arg(1)), rt)
			if err == nil && !accepted {
				fmt.Fprintln(&s.out, "not accepted")
			}
			return err
		})
	case "broadcast":
		return do(func(core core, rt runtime) error { return core.Broadcast(rt) })
	case "values": // values a: the payloads that its owner has
		s.values(arg(0))
	case "configure": // configure a period=2s
		return do(func(core core, rt runtime) error {
			return core.Configure(configure(s.t, core.Config(), args[1:]), rt)
		})
	case "apply": // apply a b down 2 by c+d, e alive 0: records from its owner, gossiped
		return do(func(core core, rt runtime) error {
			return core.Apply(slices.Values(updates(s.t, strings.Join(args[1:], " "))), true, rt)
		})
	case "inject": // inject c b gossip [b suspect 0 by a]: a hand-made packet, as if from c to b
		return s.inject(args, line)
	case "members": // members a: everybody that a knows, as its owner sees it
		fmt.Fprint(&s.out, strings.ReplaceAll(c.view(arg(0)), ", ", "\n"))
		s.end()
	case "self":
		fmt.Fprintf(&s.out, "%v\n", c.core(arg(0)).Self())
	case "state": // state a: what a tells others
		var lines []string
		for u := range c.core(arg(0)).State() {
			if u.Metadata > 0 {
				lines = append(lines, fmt.Sprintf("%v metadata %d", u, u.Metadata))
				continue
			}
			lines = append(lines, u.String())
		}
		slices.Sort(lines)
		fmt.Fprint(&s.out, strings.Join(lines, "\n"))
		s.end()
	case "events": // events a: what its owner was told, since the last time
		for _, e := range c.node(arg(0)).events {
			fmt.Fprintf(&s.out, "%v\n", e)
		}
		c.node(arg(0)).events = nil
	case "stats": // stats a: what it ignored and counted
		s.stats(arg(0))
	default:
		s.t.Fatalf("%q: no such command", line)
	}
	return nil
}

// end makes sure that the output ends with a line.
func (s *script) end() {
	if out := s.out.String(); out != "" && !strings.HasSuffix(out, "\n") {
		s.out.WriteByte('\n')
	}
}

func (s *script) isCut(from, to string) bool {
	return slices.ContainsFunc(s.cuts, func(link [2]string) bool {
		return (link[0] == from || link[0] == "*") && (link[1] == to || link[1] == "*")
	})
}

// hides reports whether a line is not to be shown.
func (s *script) hides(actors []string, p *Packet[who]) bool {
	if len(s.shown) > 0 && !slices.ContainsFunc(actors, func(name string) bool { return slices.Contains(s.shown, name) }) {
		return true
	}
	return p != nil && slices.Contains(s.hidden, p.Header.Message.String()) && len(p.Updates) == 0 && len(p.Payloads) == 0
}

func (s *script) values(name string) {
	values := s.c.node(name).values
	var lines []string
	for name, version := range values {
		lines = append(lines, fmt.Sprintf("%s=%d", name, version))
	}
	slices.Sort(lines)
	fmt.Fprint(&s.out, strings.Join(lines, "\n"))
	s.end()
}

// stats writes every counter that is not what it was when the nodes had met.
func (s *script) stats(name string) {
	stats, before := s.c.core(name).Stats(), s.before[name]
	for d, n := range stats.Drops {
		if n -= before.Drops[d]; n > 0 {
			fmt.Fprintf(&s.out, "dropped %s: %d\n", Drop(d).String(), n)
		}
	}
	for _, counter := range []struct {
		name   string
		n, was uint64
	}{
		{"probes failed", stats.ProbesFailed, before.ProbesFailed},
		{"probes void", stats.ProbesVoid, before.ProbesVoid},
		{"refutations", stats.Refutations, before.Refutations},
		{"renewals", stats.Renewals, before.Renewals},
		{"conflicts", stats.Conflicts, before.Conflicts},
		{"lone verdicts", stats.LoneVerdicts, before.LoneVerdicts},
		{"pauses", stats.Pauses, before.Pauses},
		{"deaf", stats.Deaf, before.Deaf},
		{"evicted", stats.Evicted, before.Evicted},
	} {
		if counter.n > counter.was {
			fmt.Fprintf(&s.out, "%s: %d\n", counter.name, counter.n-counter.was)
		}
	}
	if stats.Health > 0 {
		fmt.Fprintf(&s.out, "health: %d\n", stats.Health)
	}
}

// inject delivers a packet that nobody sent, and says what it caused at once.
func (s *script) inject(args []string, line string) error {
	if len(args) < 3 {
		s.t.Fatalf("%q: want inject from to message", line)
	}
	p := Packet[who]{}
	h := &p.Header
	h.Src, h.Dst = identity(s.t, args[0]), identity(s.t, args[1])
	for m := range Message(numMessages) {
		if m.String() == args[2] {
			h.Message = m
		}
	}
	if h.Message.String() != args[2] {
		s.t.Fatalf("%q: no such message", line)
	}
	rest := strings.Join(args[3:], " ")
	if from := strings.Index(rest, "["); from >= 0 {
		p.Updates = updates(s.t, strings.Trim(rest[from:], "[]"))
		rest = rest[:from]
	}
	for _, word := range strings.Fields(rest) {
		key, value, _ := strings.Cut(word, "=")
		n, _ := strconv.ParseUint(value, 10, 64)
		switch key {
		case "number":
			h.Number = uint32(n)
		case "alive":
			h.SrcIncarnation = Incarnation(n)
		case "metadata":
			h.SrcMetadata = n
		case "left":
			h.SrcState = Left
		case "about":
			h.About = identity(s.t, value)
		case "nack-after":
			h.NackAfter = uint32(n)
		case "down":
			h.AboutIncarnation = Incarnation(n)
		case "padding":
			p.PadTo = int(n)
		default:
			s.t.Fatalf("%q: what is %q", line, word)
		}
	}
	data, err := names.Append(nil, 1400, &p)
	if err != nil {
		s.t.Fatal(line, err)
	}
	s.c.receive(s.c.node(h.Dst.name), data)
	return nil
}

// split takes settings of the form name=value from the end of arguments.
func split(args []string) (names, settings []string) {
	i := slices.IndexFunc(args, func(arg string) bool { return strings.Contains(arg, "=") })
	if i < 0 {
		return args, nil
	}
	return args[:i], args[i:]
}

// quiet is the configuration of transcripts: nothing is sent but probes, and
// gossip while there is something to tell.
func quiet() Config {
	return Config{Announce: Task{Every: Off}, AnnounceDown: Task{Every: Off}}.WithDefaults()
}

func configure(t *testing.T, cfg Config, settings []string) Config {
	t.Helper()
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		every := func(task *Task) {
			text, num, has := strings.Cut(value, "/")
			task.Every = duration(t, text)
			if has {
				task.Num = number(t, num)
			}
		}
		switch name {
		case "paper":
			cfg = Paper()
		case "period":
			cfg.Period = duration(t, value)
		case "round-trip":
			cfg.RoundTrip = duration(t, value)
		case "k":
			cfg.IndirectProbes = number(t, value)
		case "gossip":
			every(&cfg.Gossip)
		case "announce":
			every(&cfg.Announce)
		case "lost":
			every(&cfg.AnnounceDown)
		case "factor":
			cfg.SuspicionFactor = number(t, value)
		case "max-suspicion":
			cfg.MaxSuspicion = number(t, value)
		case "confirmations":
			cfg.Confirmations = number(t, value)
		case "health":
			cfg.MaxHealth = number(t, value)
		case "deaf":
			cfg.DeafLimit = duration(t, value)
		case "forget":
			cfg.ForgetAfter = duration(t, value)
		case "stall":
			cfg.StallLimit = duration(t, value)
		case "leave":
			cfg.LeaveTimeout = duration(t, value)
		case "relays":
			cfg.MaxRelays = number(t, value)
		case "packet":
			cfg.MaxPacket = number(t, value)
		case "members":
			cfg.MaxMembers = number(t, value)
		case "tombstones":
			cfg.MaxTombstones = number(t, value)
		case "sole-verdict":
			cfg.Rules.SoleVerdict = value == "yes"
		case "silent-suspicion":
			cfg.Rules.SilentSuspicion = value == "yes"
		case "silent-ping":
			cfg.Rules.SilentPing = value == "yes"
		case "silent-relay":
			cfg.Rules.SilentRelay = value == "yes"
		case "notify":
			for _, what := range strings.Split(value, "+") {
				switch what {
				case "suspect":
					cfg.Notify.Suspect = true
				case "updated":
					cfg.Notify.Updated = true
				case "probe-failed":
					cfg.Notify.ProbeFailed = true
				case "sent":
					cfg.Notify.Sent = true
				case "received":
					cfg.Notify.Received = true
				default:
					t.Fatalf("no notification %q", what)
				}
			}
		default:
			t.Fatalf("no setting %q", setting)
		}
	}
	return cfg
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	if text == "off" {
		return Off
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func number(t *testing.T, text string) int {
	t.Helper()
	if text == "off" {
		return Off
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// identity reads "b" or "b2", as a who prints.
func identity(t *testing.T, text string) who {
	t.Helper()
	name := strings.TrimRightFunc(text, unicode.IsDigit)
	if name == text {
		return who{name, 1}
	}
	return who{name, number(t, text[len(name):])}
}

func identities(t *testing.T, texts []string) (ids []who) {
	t.Helper()
	for _, text := range texts {
		ids = append(ids, identity(t, text))
	}
	return ids
}

// updates reads records as they print: "b suspect 0 by a+c, d left, e alive 1".
// Words "metadata=3" and "remaining=10s" may follow.
func updates(t *testing.T, text string) (all []Update[who]) {
	t.Helper()
	for _, record := range strings.Split(text, ",") {
		words := strings.Fields(record)
		if len(words) < 2 {
			t.Fatalf("%q is no record", record)
		}
		u := Update[who]{}
		u.ID = identity(t, words[0])
		u.State = State(slices.Index(stateNames[:], words[1]))
		for i := 2; i < len(words); i++ {
			name, value, _ := strings.Cut(words[i], "=")
			switch name {
			case "by":
				i++
				u.By = identities(t, strings.Split(words[i], "+"))
			case "metadata":
				u.Metadata = uint64(number(t, value))
			case "remaining":
				u.Remaining = uint32(duration(t, value) / time.Millisecond)
			default:
				u.Incarnation = Incarnation(number(t, name))
			}
		}
		all = append(all, u)
	}
	return all
}

func TestScriptsReadWhatTheyPrint(t *testing.T) {
	text := "b suspect 3 by a+c2, d left, e7 alive 1"
	var printed []string
	for _, u := range updates(t, text) {
		printed = append(printed, u.String())
	}
	if got := strings.Join(printed, ", "); got != text {
		t.Errorf("%q reads as %q", text, got)
	}
	if got := configure(t, quiet(), strings.Fields("period=2s lost=5s/4 k=1 health=off")); cmp.Or(
		cmp.Compare(got.Period, 2*time.Second),
		cmp.Compare(got.AnnounceDown.Every, 5*time.Second),
		cmp.Compare(got.AnnounceDown.Num, 4),
		cmp.Compare(got.IndirectProbes, 1),
		cmp.Compare(got.MaxHealth, Off)) != 0 {
		t.Errorf("settings read as %+v", got)
	}
}
