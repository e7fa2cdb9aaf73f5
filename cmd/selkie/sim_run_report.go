package main

import (
	"fmt"
	"io"
	"time"

	"github.com/selkie-go/selkie/sim"
)

// A reportInfo is how fast news travelled in a run, what was believed that was
// not so, and what it cost, as it is printed.
type reportInfo struct {
	News []newsInfo `json:"news"`
	// Totals says how fast news of a kind travelled.
	Spread                  map[sim.NewsKind]spreadInfo `json:"spread"`
	Downs                   int                         `json:"downs"`
	FalseDowns              int                         `json:"false_downs"`
	Suspicions              int                         `json:"suspicions"`
	FalseSuspicions         int                         `json:"false_suspicions"`
	Refutations             int                         `json:"refutations"`
	Renewals                int                         `json:"renewals"`
	MemberSeconds           float64                     `json:"member_seconds"`
	MessagesPerMemberSecond float64                     `json:"messages_per_member_second"`
	BytesPerMemberSecond    float64                     `json:"bytes_per_member_second"`
}

// A newsInfo is something that happened to a node, and how long it took until
// others knew. A time that is missing never came.
type newsInfo struct {
	Kind              sim.NewsKind `json:"kind"`
	Node              uint32       `json:"node"`
	At                string       `json:"at"`
	AtSeconds         float64      `json:"at_seconds"`
	Observers         int          `json:"observers"`
	Missing           int          `json:"missing"`
	First             string       `json:"first,omitempty"`
	FirstSeconds      float64      `json:"first_seconds,omitempty"`
	Everywhere        string       `json:"everywhere,omitempty"`
	EverywhereSeconds float64      `json:"everywhere_seconds,omitempty"`
}

// A spreadInfo says how fast news of a kind travelled: until the first member
// knew, which is the detection, and until all did.
type spreadInfo struct {
	Count         int           `json:"count"`
	Detection     quantilesInfo `json:"detection"`
	Dissemination quantilesInfo `json:"dissemination"`
}

// A quantilesInfo is how times are distributed.
type quantilesInfo struct {
	Count         int     `json:"count"`
	Median        string  `json:"median"`
	MedianSeconds float64 `json:"median_seconds"`
	P90           string  `json:"p90"`
	P90Seconds    float64 `json:"p90_seconds"`
	P99           string  `json:"p99"`
	P99Seconds    float64 `json:"p99_seconds"`
	Max           string  `json:"max"`
	MaxSeconds    float64 `json:"max_seconds"`
}

func newQuantilesInfo(q sim.Quantiles) quantilesInfo {
	return quantilesInfo{
		Count:  q.Count,
		Median: short(q.Median), MedianSeconds: q.Median.Seconds(),
		P90: short(q.P90), P90Seconds: q.P90.Seconds(),
		P99: short(q.P99), P99Seconds: q.P99.Seconds(),
		Max: short(q.Most), MaxSeconds: q.Most.Seconds(),
	}
}

// short returns a time as people compare it.
func short(d time.Duration) string { return d.Round(time.Millisecond).String() }

func newReportInfo(r *sim.Report) reportInfo {
	info := reportInfo{
		News: []newsInfo{}, Spread: map[sim.NewsKind]spreadInfo{},
		Downs: r.Downs, FalseDowns: r.FalseDowns, Suspicions: r.Suspicions, FalseSuspicions: r.FalseSuspicions,
		Refutations: r.Refutations, Renewals: r.Renewals, MemberSeconds: r.MemberSeconds,
		MessagesPerMemberSecond: r.PacketsPerMemberSecond, BytesPerMemberSecond: r.BytesPerMemberSecond,
	}
	for _, n := range r.News {
		at := n.At.Sub(0)
		one := newsInfo{Kind: n.Kind, Node: n.Node, At: short(at), AtSeconds: at.Seconds(), Observers: n.Observers, Missing: n.Missing}
		if n.First >= 0 {
			one.First, one.FirstSeconds = short(n.First), n.First.Seconds()
		}
		if n.Everywhere >= 0 {
			one.Everywhere, one.EverywhereSeconds = short(n.Everywhere), n.Everywhere.Seconds()
		}
		info.News = append(info.News, one)
	}
	for _, kind := range sim.NewsKinds() {
		if count := len(r.Of(kind)); count > 0 {
			first, everywhere := r.Spread(kind)
			info.Spread[kind] = spreadInfo{count, newQuantilesInfo(first), newQuantilesInfo(everywhere)}
		}
	}
	return info
}

// printReport prints a report for people.
func printReport(w io.Writer, r *sim.Report) {
	rows := [][]string{{"NEWS", "", "MEDIAN", "P90", "P99", "MAX", "KNOWN"}}
	for _, kind := range sim.NewsKinds() {
		count := len(r.Of(kind))
		if count == 0 {
			continue
		}
		first, everywhere := r.Spread(kind)
		rows = append(rows, quantilesRow(string(kind), "to the first", first, count), quantilesRow("", "to everybody", everywhere, count))
	}
	_ = printTable(w, rows)
	fmt.Fprintf(w, "\nfalse positives   %d of %d downs, %d of %d suspicions; %d refuted\n", r.FalseDowns, r.Downs, r.FalseSuspicions, r.Suspicions, r.Refutations)
	fmt.Fprintf(w, "each member sent  %.2f packets, %.0f bytes a second\n", r.PacketsPerMemberSecond, r.BytesPerMemberSecond)
}

func quantilesRow(kind, until string, q sim.Quantiles, of int) []string {
	row := []string{kind, until, "-", "-", "-", "-"}
	if q.Count > 0 {
		row = []string{kind, until, short(q.Median), short(q.P90), short(q.P99), short(q.Most)}
	}
	return append(row, fmt.Sprintf("%d of %d", q.Count, of))
}
