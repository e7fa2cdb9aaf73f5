package sim

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What was found once is looked for for ever.
func TestBugsOfThePastStayAway(t *testing.T) {
	files, err := filepath.Glob("testdata/bugs/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			bug, err := parseBug(text)
			if err != nil {
				t.Fatal(err)
			}
			if bug.Name != strings.TrimSuffix(filepath.Base(file), ".json") {
				t.Errorf("it calls itself %q", bug.Name)
			}
			for _, v := range bug.Plan.Run(nil).Violations {
				t.Error(v)
			}
		})
	}
}

var invariant = regexp.MustCompile(`^[SLD][1-9]\d?$`)

// parseBug reads a bug and says what its file lacks.
func parseBug(text []byte) (Bug, error) {
	var b Bug
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		return b, err
	}
	_, err := time.Parse(time.DateOnly, b.Found)
	switch {
	case err != nil:
		return b, err
	case !invariant.MatchString(b.Invariant):
		return b, incomplete("Invariant")
	case !strings.HasSuffix(b.Was, "."):
		return b, incomplete("Was")
	case b.Plan.Nodes == 0:
		return b, incomplete("Plan")
	}
	return b, nil
}

// incomplete is a field that does not say what it should.
type incomplete string

func (i incomplete) Error() string { return string(i) + " says nothing" }

func TestIncompleteBugsAreNoticed(t *testing.T) {
	whole := Bug{Name: "a", Found: "2026-11-23", Was: "It was wrong.", Invariant: "S1", Plan: Plan{Nodes: 1}}
	for name, spoil := range map[string]func(*Bug){
		"":          func(*Bug) {},
		"Found":     func(b *Bug) { b.Found = "yesterday" },
		"Invariant": func(b *Bug) { b.Invariant = "rule 3" },
		"Was":       func(b *Bug) { b.Was = "" },
		"Plan":      func(b *Bug) { b.Plan = Plan{} },
	} {
		bug := whole
		spoil(&bug)
		text, err := json.Marshal(bug)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseBug(text); (err != nil) != (name != "") {
			t.Errorf("without %q: %v", name, err)
		}
	}
	if _, err := parseBug([]byte(`{"Nmae": "a"}`)); err == nil {
		t.Error("a field that there is not was read")
	}
}
