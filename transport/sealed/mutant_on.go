//go:build mutants

package sealed

import (
	"iter"
	"strings"
)

// planted is the bug that all boxes of this process have.
var planted = noMutant

// A Mutant describes a bug that [Plant] can plant. There are mutants only with
// the build tag "mutants".
type Mutant struct {
	Number int    // from 1 on, without gaps
	Name   string // lower-case words with hyphens
	Does   string // what a box with this bug does wrong, as a sentence
	// Breaks are the promises, such as S23, of which at least one should be found
	// broken.
	Breaks []string
}

// Mutants yields all bugs that can be planted, in the order of their numbers.
func Mutants() iter.Seq[Mutant] {
	return func(yield func(Mutant) bool) {
		for m := noMutant + 1; m < numMutants; m++ {
			entry := mutants[m]
			if !yield(Mutant{int(m), entry.name, entry.does, strings.Fields(entry.breaks)}) {
				return
			}
		}
	}
}

// Plant gives the bug of that number to every box of this process; 0 gives them
// none. It reports whether there is such a bug. No box may be in use meanwhile.
func Plant(number int) bool {
	if number < 0 || number >= int(numMutants) {
		return false
	}
	planted = mutant(number)
	return true
}

var mutants = [numMutants]struct{ name, does, breaks string }{
	forgetCounters:  {"forget-counters", "That a sealed packet came is not noted.", "S23"},
	refuseLate:      {"refuse-late", "A sealed packet that some later ones have passed is taken for a replay.", "S23"},
	admitRecordings: {"admit-recordings", "A session is let in without a challenge, whichever life it names.", "S23"},
	admitOlder:      {"admit-older", "What a session sealed before it was let in is opened without a challenge.", "S23"},
	keepRetired:     {"keep-retired", "Keys that are taken out of the key file are still accepted.", "F29"},
	sealAsBefore:    {"seal-as-before", "Packets are sealed with the key that was the first one, and name the new one.", "S23 F29"},
}
