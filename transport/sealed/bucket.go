package sealed

import "time"

// A bucket limits how many new sessions have a key derived for them, the one
// thing of some cost that somebody with recordings can make us do.
type bucket struct {
	tokens int64
	filled int64 // up to when
}

const (
	bucketSize  = 1024
	bucketEvery = time.Second / 1000
)

func newBucket(now int64) bucket { return bucket{bucketSize, now} }

// take takes a token, if there is one.
func (b *bucket) take(now int64) bool {
	if n := (now - b.filled) / int64(bucketEvery); n > 0 {
		b.tokens = min(bucketSize, b.tokens+n)
		b.filled += n * int64(bucketEvery)
	}
	if b.tokens == 0 {
		return false
	}
	b.tokens--
	return true
}
