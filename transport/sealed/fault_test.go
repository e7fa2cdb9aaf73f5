package sealed

import (
	"strings"
	"testing"
)

func TestFaultsHaveNamesOfTheirOwn(t *testing.T) {
	names := make(map[string]bool)
	for f := range numFaults {
		name := f.String()
		if name == "" || strings.ToLower(name) != name || names[name] || !strings.HasSuffix(f.Error(), name) {
			t.Errorf("fault %d is %q, %q", f, name, f.Error())
		}
		names[name] = true
	}
	if numFaults.String() != "unknown-fault" || names[numFaults.String()] {
		t.Errorf("what is no fault is %q", numFaults)
	}
}
