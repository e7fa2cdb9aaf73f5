package sim

import (
	"bytes"
	"reflect"
	"slices"
	"testing"
)

// What is read from a recorder is what was told, and of too much the oldest is
// left out.
func TestRecorderKeepsWhatWasTold(t *testing.T) {
	var all []Event
	var r Recorder
	few := Recorder{Most: 1}
	w := New(2, LAN)
	w.Trace = func(e Event) {
		r.Trace(e)
		few.Trace(e)
		e.Data = bytes.Clone(e.Data)
		e.Change.Before.By = slices.Clone(e.Change.Before.By)
		e.Change.After.By = slices.Clone(e.Change.After.By)
		all = append(all, e)
	}
	w.Grow(5)
	w.Impair("loss", nil, nil, Link{Loss: 0.2})
	for len(all) < 3*chunkSize {
		w.Step()
	}
	if r.Len() != len(all) || r.Left() != 0 {
		t.Fatalf("%d of %d events, %d left out", r.Len(), len(all), r.Left())
	}
	for i, want := range all {
		if got := r.Event(i); !reflect.DeepEqual(got, want) {
			t.Fatalf("event %d: got %+v, want %+v", i, got, want)
		}
	}
	if few.Len()+few.Left() != len(all) || few.Len() > 2*chunkSize || few.Left() == 0 {
		t.Errorf("of %d events %d are kept and %d are not", len(all), few.Len(), few.Left())
	}
	for i := range few.Len() {
		if got := few.Event(i); !reflect.DeepEqual(got, all[few.Left()+i]) {
			t.Fatalf("event %d of those kept is another", i)
		}
	}
}

func BenchmarkRecorder(b *testing.B) {
	r := &Recorder{Most: 100_000}
	w := New(1, LAN)
	w.Grow(64)
	w.Trace = r.Trace
	b.ReportAllocs()
	start := w.Now()
	for b.Loop() {
		w.RunUntil(1e9, func() bool { return false })
	}
	b.ReportMetric(64*w.Now().Sub(start).Hours()/b.Elapsed().Seconds(), "node-hours/s")
}
