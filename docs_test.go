package selkie_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/swim"
)

// member is a whole member. README.md and the documentation of the package show
// its body.
func member(ctx context.Context) error {
	// shown from here
	node, err := selkie.Start(ctx, selkie.Config{
		Bind:  netip.MustParseAddrPort("10.0.0.7:7946"),
		Seeds: []string{"10.0.0.5:7946", "10.0.0.6:7946"},
	})
	if err != nil {
		return err
	}
	defer node.Close()
	for event := range node.Watch(ctx) {
		fmt.Println(event.Kind, event.Member)
	}
	// to here
	return nil
}

var _ = member

// between returns what stands between two lines of a file, without an indent.
func between(t *testing.T, file, from, to, indent string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), from+"\n")
	block, _, ended := strings.Cut(rest, to+"\n")
	if !found || !ended {
		t.Fatalf("%s has nothing between %q and %q", file, from, to)
	}
	return strings.TrimSpace(strings.ReplaceAll("\n"+block, "\n"+indent, "\n"))
}

func TestCodeOfTheDocumentationCompiles(t *testing.T) {
	want := between(t, "docs_test.go", "\t// shown from here", "\t// to here", "\t")
	if got := between(t, "README.md", "```go", "```", ""); got != want {
		t.Errorf("README.md shows\n%s\nwant\n%s", got, want)
	}
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	if want = "\n//\t" + strings.ReplaceAll(want, "\n", "\n//\t") + "\n"; !strings.Contains(string(text), want) {
		t.Errorf("doc.go does not show%s", want)
	}
}

// What the code can say, its reader can look up.
func TestProtocolDocumentNamesWhatThereIs(t *testing.T) {
	text, err := os.ReadFile("docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for d := range swim.Drop(swim.NumDrops) {
		names = append(names, "\n| `"+d.String()+"` |")
	}
	for m := range swim.Message(1 << 4) {
		if m.Valid() {
			names = append(names, fmt.Sprintf("\n| %v | %d |", m, m))
		}
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[swim.Config]()) {
		names = append(names, field.Name)
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[swim.Rules]()) {
		names = append(names, "Off: `"+field.Name+"`")
	}
	for _, name := range names {
		if !strings.Contains(string(text), name) {
			t.Errorf("docs/protocol.md does not have %q", strings.TrimSpace(name))
		}
	}
}

// The table of the presets, line by line.
func TestProtocolDocumentHasThePresets(t *testing.T) {
	text, err := os.ReadFile("docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	presets := []swim.Config{swim.LAN(1), swim.WAN(1), swim.Local(), swim.Paper()}
	row := func(name string, value func(swim.Config) string) {
		want := "| " + name
		for _, c := range presets {
			want += " | " + value(c)
		}
		if !strings.Contains(string(text), want+" |\n") {
			t.Errorf("docs/protocol.md does not have the line\n%s |", want)
		}
	}
	task := func(task swim.Task) string {
		if task.Every == swim.Off {
			return "off"
		}
		return fmt.Sprintf("%d every %s", task.Num, duration(task.Every))
	}
	row("Period", func(c swim.Config) string { return duration(c.Period) })
	row("RoundTrip", func(c swim.Config) string { return duration(c.RoundTrip) })
	count := func(n int) string {
		if n == swim.Off {
			return "off"
		}
		return fmt.Sprint(n)
	}
	row("IndirectProbes", func(c swim.Config) string { return count(c.IndirectProbes) })
	row("Gossip", func(c swim.Config) string { return task(c.Gossip) })
	row("Announce", func(c swim.Config) string { return task(c.Announce) })
	row("AnnounceDown", func(c swim.Config) string { return task(c.AnnounceDown) })
	row("SuspicionFactor", func(c swim.Config) string { return count(c.SuspicionFactor) })
	row("MaxSuspicion", func(c swim.Config) string { return count(c.MaxSuspicion) })
	row("Confirmations", func(c swim.Config) string { return count(c.Confirmations) })
	row("MaxHealth", func(c swim.Config) string { return count(c.MaxHealth) })
	row("LeaveTimeout", func(c swim.Config) string { return duration(c.LeaveTimeout) })
	row("StallLimit", func(c swim.Config) string { return duration(c.StallLimit) })
	row("DeafLimit", func(c swim.Config) string { return duration(c.DeafLimit) })
}

// duration writes a duration as the tables do: "500 ms", "1.5 s".
func duration(d time.Duration) string {
	switch {
	case d == swim.Off:
		return "off"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	default:
		return fmt.Sprintf("%v s", d.Seconds())
	}
}
