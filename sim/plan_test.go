package sim

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

func TestPlanIsPlainData(t *testing.T) {
	p := Draw(3, Mix{MaxNodes: 8, Most: time.Minute})
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var again Plan
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p, again) {
		t.Errorf("read %+v, wrote %+v", again, p)
	}
	if a, b := p.Run(nil), again.Run(nil); a.Hash != b.Hash {
		t.Errorf("%x, then %x", a.Hash, b.Hash)
	}
}
