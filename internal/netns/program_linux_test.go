package netns

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/swim"
)

// variable is where a process of this test binary finds the [program] that it is
// to be, in JSON.
const variable = "SELKIE_NETNS_PROGRAM"

// TestMain makes this binary a member of a cluster if it was started as one.
func TestMain(m *testing.M) {
	if text := os.Getenv(variable); text != "" {
		os.Exit(beProgram(text))
	}
	os.Exit(m.Run())
}

// A program is a member that runs until its standard input ends, or it is killed.
type program struct {
	Bind     netip.AddrPort
	Seeds    []string
	Key      string
	DataDir  string
	Name     string
	Tags     map[string]string
	Protocol swim.Config
}

// A line is what a program says: an event, or its state if it was asked.
type line struct {
	Time    time.Time
	Kind    string // of the event
	Member  member
	Cause   string
	Members []member // of a snapshot
	Report  *report
}

type member struct {
	Addr        netip.AddrPort
	Generation  uint64
	Incarnation uint64
	State       string
	Name        string
	Self        bool
}

func (m member) active() bool { return m.State == "alive" || m.State == "suspect" }

// A report is the state of a program at one moment.
type report struct {
	Members    []member
	Stats      selkie.Stats
	Goroutines int
}

func beProgram(text string) int {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: logLevel()}))
	p := program{}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		log.Error("no program", "error", err)
		return 2
	}
	key, err := selkie.ParseKey(p.Key)
	if err != nil {
		log.Error("no key", "error", err)
		return 2
	}
	node, err := selkie.Start(context.Background(), selkie.Config{
		Bind:        p.Bind,
		Seeds:       p.Seeds,
		Keys:        []selkie.Key{key},
		DataDir:     p.DataDir,
		Name:        p.Name,
		Tags:        p.Tags,
		Protocol:    p.Protocol,
		EventBuffer: 1 << 16,
		Log:         log,
	})
	if err != nil {
		log.Error("not started", "error", err)
		return 1
	}
	defer node.Close()
	serve(node)
	return 0
}

// logLevel is that of programs: their logs are shown if a test fails.
func logLevel() slog.Level {
	if os.Getenv("SELKIE_NETNS_DEBUG") != "" {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// serve prints what happens, and does what the lines of standard input say:
// "report", or "tell" and a text to be broadcast.
func serve(node *selkie.Node) {
	out := json.NewEncoder(os.Stdout)
	var mu sync.Mutex
	say := func(l line) {
		mu.Lock()
		defer mu.Unlock()
		if err := out.Encode(l); err != nil {
			os.Exit(1) // nobody listens any more
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for e := range node.Watch(ctx) {
			say(lineOf(e))
		}
	}()
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		switch command, text, _ := strings.Cut(input.Text(), " "); command {
		case "report":
			r := &report{Stats: node.Stats(), Goroutines: runtime.NumGoroutine()}
			for m := range node.Members() {
				r.Members = append(r.Members, memberOf(m))
			}
			say(line{Time: time.Now(), Report: r})
		case "tell":
			if err := node.Broadcast("", []byte(text)); err != nil {
				os.Stderr.WriteString(err.Error() + "\n")
			}
		}
	}
}

func lineOf(e selkie.Event) line {
	l := line{Time: e.Time, Kind: e.Kind.String(), Member: memberOf(e.Member)}
	if e.Cause != nil {
		l.Cause = e.Cause.String()
	}
	for _, m := range e.Members {
		l.Members = append(l.Members, memberOf(m))
	}
	return l
}

func memberOf(m selkie.Member) member {
	return member{
		Addr:        m.Addr(),
		Generation:  m.ID.Generation(),
		Incarnation: m.Incarnation,
		State:       m.State.String(),
		Name:        m.Name(),
		Self:        m.Self,
	}
}
