package sealed

import "testing"

func TestBucketGivesABurstAndThenARate(t *testing.T) {
	b := newBucket(start)
	take := func(now int64) (n int) {
		for b.take(now) {
			n++
		}
		return n
	}
	for _, step := range []struct {
		now  int64
		want int
	}{
		{start, bucketSize},
		{start, 0},
		{start + millisecond - 1, 0},
		{start + millisecond, 1},
		{start + 100*millisecond, 99},
		{start + 100*millisecond + millisecond/2, 0},
		{start + 101*millisecond, 1}, // the half was not lost
		{start + 3600*second, bucketSize},
		{start + 3600*second, 0},
	} {
		if got := take(step.now); got != step.want {
			t.Errorf("after %d ns: %d, want %d", step.now-start, got, step.want)
		}
	}
}
