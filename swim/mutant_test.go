//go:build mutants

package swim

import (
	"errors"
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var mutantSeeds = flag.Int("mutant.seeds", 8, "how many clusters TestSwarmNoticesMutants draws for each")

func TestEveryMutantIsDescribed(t *testing.T) {
	names := make(map[string]bool)
	number := 0
	for m := range Mutants() {
		if number++; m.Number != number {
			t.Errorf("%s has number %d instead of %d", m.Name, m.Number, number)
		}
		if names[m.Name] || !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(m.Name) {
			t.Errorf("number %d has the name %q", m.Number, m.Name)
		}
		names[m.Name] = true
		if !strings.HasSuffix(m.Does, ".") {
			t.Errorf("%s: %q is no sentence", m.Name, m.Does)
		}
		if len(m.Breaks) == 0 {
			t.Errorf("%s breaks nothing", m.Name)
		}
		for _, promise := range m.Breaks {
			if !regexp.MustCompile(`^[SLD][1-9][0-9]?$`).MatchString(promise) {
				t.Errorf("%s breaks %q", m.Name, promise)
			}
		}
	}
}

func TestOnlyMutantsThatExistArePlanted(t *testing.T) {
	defer Plant(0)
	for _, number := range []int{-1, int(numMutants), 256 + 1} {
		if Plant(number) || planted != noMutant {
			t.Errorf("planted %d, which is none", number)
		}
	}
	if !Plant(1) || planted != acceptEqualAlive {
		t.Errorf("planted %d instead of 1", planted)
	}
}

// noticed are the mutants that the guard of TestSwarm has to find in its first
// clusters. It sees one core at a time and few kinds of faults; the others are
// for a simulation to find.
var noticed = []mutant{
	acceptEqualAlive, leftIsNotFinal, oldLifeReplaces, dropMetadata, meetOurselves, countLivesAsAccusers,
	accuseStaleIncarnation, confirmAtOnce, ignoreHealth, neverRecover, nackTwice, restAfterFailure, queueTwice, tellForever, forgetEarly,
	forgetNobody, abandonTheLost, renameAsUp, hushRename,
}

// TestSwarmNoticesMutants draws the clusters of TestSwarm with one mutant after
// the other, and logs after how many of them something was found to be wrong.
func TestSwarmNoticesMutants(t *testing.T) {
	defer Plant(0)
	sound := make([]string, *mutantSeeds)
	for i := range sound {
		var wrong error
		if sound[i], wrong = liveWith(t, 0, uint64(i)+1); wrong != nil {
			t.Fatalf("without a mutant, seed %d: %v", i+1, wrong)
		}
	}
	for m := range Mutants() {
		found, changed := "", 0
		for i := range sound {
			outcome, wrong := liveWith(t, m.Number, uint64(i)+1)
			if outcome != sound[i] {
				changed++
			}
			if wrong != nil {
				first, _, _ := strings.Cut(wrong.Error(), "\n")
				found = fmt.Sprintf("seed %d: %.150s", i+1, first)
				break
			}
		}
		if found == "" {
			found = fmt.Sprintf("not noticed; %d of %d runs went differently", changed, len(sound))
		}
		t.Logf("%2d %-26s %-12s %s", m.Number, m.Name, strings.Join(m.Breaks, " "), found)
		if wanted := slices.Contains(noticed, mutant(m.Number)); wanted && strings.HasPrefix(found, "not") {
			t.Errorf("%s: %s", m.Name, found)
		}
	}
}

// errTooMuch is what a mutant gets for sending without end.
var errTooMuch = errors.New("packets without end")

// liveWith draws one cluster with a mutant. It returns how that ended, to be
// compared, and what was found to be wrong.
func liveWith(t *testing.T, number int, seed uint64) (outcome string, wrong error) {
	Plant(number)
	w := &witnessTB{TB: t}
	s := newSwarm(w, seed)
	lost := s.lost
	s.lost = func(from, to string) bool {
		if s.sent > 1_000_000 {
			panic(errTooMuch)
		}
		return lost(from, to)
	}
	defer func() {
		if r := recover(); r != nil && r != any(w) {
			w.found = append(w.found, fmt.Errorf("panic: %v", r))
		}
		var b strings.Builder
		fmt.Fprintln(&b, s.now, s.sent)
		for _, n := range s.nodes {
			fmt.Fprintln(&b, n.name, n.core.Stats())
		}
		outcome, wrong = b.String(), errors.Join(w.found...)
	}()
	s.live()
	return
}

// A witnessTB notes failures of a test that should have some. What is fatal
// ends the run by a panic of the witness itself.
type witnessTB struct {
	testing.TB
	found []error
}

func (w *witnessTB) Helper() {}

func (w *witnessTB) Errorf(format string, args ...any) {
	w.found = append(w.found, fmt.Errorf(format, args...))
}

func (w *witnessTB) Fatalf(format string, args ...any) {
	w.Errorf(format, args...)
	panic(w)
}

func (w *witnessTB) Fatal(args ...any) { w.Fatalf("%s", fmt.Sprint(args...)) }
