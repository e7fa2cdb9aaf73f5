package stream

import (
	"math"
	"testing"
	"time"
)

func TestALimitThatIsZeroIsItsDefault(t *testing.T) {
	want := Limits{Conns: 64, PerSource: 2, Trusted: 256, Handshake: time.Second, MinRate: 16 << 10}
	if got := (Limits{}).withDefaults(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	own := Limits{Conns: 1, PerSource: 3, Trusted: 5, Handshake: 7, MinRate: 9}
	if got := own.withDefaults(); got != own {
		t.Errorf("got %+v, want %+v", got, own)
	}
}

func TestBytesGetTheTimeThatTheLeastRateTakes(t *testing.T) {
	for _, test := range []struct {
		size int64
		rate int
		want time.Duration
	}{
		{0, 1000, 0},
		{-1, 1000, 0},
		{math.MinInt64, 1, 0},
		{1, 1000, time.Millisecond},
		{2500, 1000, 2500 * time.Millisecond},
		{1 << 30, 1 << 20, 1024 * time.Second},
		{1 << 40, 1000, 24 * time.Hour},
		{math.MaxInt64, 1, 24 * time.Hour},
		{math.MaxInt32, math.MaxInt32, time.Second},
		{math.MaxInt64, math.MaxInt32, 24 * time.Hour},
	} {
		l := Limits{Handshake: time.Minute, MinRate: test.rate}
		if got := l.timeFor(test.size); got != time.Minute+test.want {
			t.Errorf("%d bytes at %d per second get %v, want a minute and %v", test.size, test.rate, got, test.want)
		}
	}
}
