//go:build mutants

package sealed

import (
	"strings"
	"testing"
)

func TestEveryMutantIsDescribed(t *testing.T) {
	number := 0
	for m := range Mutants() {
		if number++; m.Number != number || m.Name == "" || !strings.HasSuffix(m.Does, ".") || len(m.Breaks) == 0 {
			t.Errorf("number %d: %+v", number, m)
		}
	}
}

func TestOnlyMutantsThatExistArePlanted(t *testing.T) {
	defer Plant(0)
	if Plant(-1) || Plant(int(numMutants)) || planted != noMutant || !Plant(1) || planted != forgetCounters {
		t.Errorf("planted %d", planted)
	}
}
