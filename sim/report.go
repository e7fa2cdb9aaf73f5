package sim

import (
	"slices"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A Report says how fast news travelled in a run, what was believed that was
// not so, and what all of it cost.
type Report struct {
	// News are in the order in which they happened.
	News []News `json:"news,omitempty"`
	// Downs counts how often somebody's owner was told that a member is down,
	// FalseDowns those about a process that ran as that very member, while
	// packets could pass between the two.
	Downs      int `json:"downs"`
	FalseDowns int `json:"falseDowns"`
	// Suspicions counts how often somebody doubted a member, each one for
	// itself, FalseSuspicions those as false as a FalseDown.
	Suspicions      int `json:"suspicions"`
	FalseSuspicions int `json:"falseSuspicions"`
	// Refutations counts how often a member raised its incarnation, Renewals
	// how often one took a new identity by itself.
	Refutations int `json:"refutations"`
	Renewals    int `json:"renewals"`
	// MemberSeconds is for how long processes ran, together. The others are
	// averages over it, of what was sent.
	MemberSeconds          float64 `json:"memberSeconds"`
	PacketsPerMemberSecond float64 `json:"packetsPerMemberSecond"`
	BytesPerMemberSecond   float64 `json:"bytesPerMemberSecond"`
}

// A News is something that happened to a node, and how long it took until the
// others knew. Times are virtual.
type News struct {
	Kind NewsKind     `json:"kind"`
	Node uint32       `json:"node"`
	At   swim.Instant `json:"at"` // nanoseconds since the world began
	// Observers is how many others it concerned: those who ran then, and, of
	// crashes and goodbyes, held the node active. Missing is how many of them
	// did not know in the end, or until it was no longer so, and still ran.
	Observers int `json:"observers"`
	Missing   int `json:"missing"`
	// First is when the first of them knew, Everywhere when the last of them
	// did, both since At; -1 if that never was.
	First      time.Duration `json:"first"`
	Everywhere time.Duration `json:"everywhere"`
}

// A NewsKind says what kind of thing happened.
type NewsKind string

// The kinds.
const (
	NewsCrash    NewsKind = "crash"    // the process ended; known when it is down
	NewsLeave    NewsKind = "leave"    // it said goodbye
	NewsStart    NewsKind = "start"    // a process started, the first or another; known when it is up, or renamed
	NewsMetadata NewsKind = "metadata" // it raised the version of its metadata
)

// NewsKinds are all of them, in the order in which to print them.
func NewsKinds() []NewsKind {
	return []NewsKind{NewsCrash, NewsLeave, NewsStart, NewsMetadata}
}

// Of returns the news of a kind.
func (r Report) Of(kind NewsKind) []News {
	var of []News
	for _, n := range r.News {
		if n.Kind == kind {
			of = append(of, n)
		}
	}
	return of
}

// Spread returns how the times of a kind of news are distributed: until the
// first knew, and until everybody did. Those that never came to be are left
// out, so compare the counts.
func (r Report) Spread(kind NewsKind) (first, everywhere Quantiles) {
	var firsts, lasts []time.Duration
	for _, n := range r.Of(kind) {
		if n.First >= 0 {
			firsts = append(firsts, n.First)
		}
		if n.Everywhere >= 0 {
			lasts = append(lasts, n.Everywhere)
		}
	}
	return QuantilesOf(firsts), QuantilesOf(lasts)
}

// Quantiles are some of a distribution of times. The zero value is that of no
// times at all.
type Quantiles struct {
	Count  int           `json:"count"`
	Median time.Duration `json:"median"`
	P90    time.Duration `json:"p90"`
	P99    time.Duration `json:"p99"`
	Most   time.Duration `json:"most"`
}

// QuantilesOf returns the quantiles of some times, which it sorts: of each the
// least time that so many do not exceed.
func QuantilesOf(times []time.Duration) Quantiles {
	if len(times) == 0 {
		return Quantiles{}
	}
	slices.Sort(times)
	at := func(percent int) time.Duration { return times[(len(times)*percent+99)/100-1] }
	return Quantiles{Count: len(times), Median: at(50), P90: at(90), P99: at(99), Most: at(100)}
}
