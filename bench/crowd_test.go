//go:build unix

package bench

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/selkie-go/selkie"
)

// A crowd is many whole members in this process, over loopback.
const crowd = 200

// crowdIdle is how long a crowd that has settled is watched.
const crowdIdle = 10 * time.Second

// BenchmarkCrowd starts members that all join the first one at once. It reports
// the time until all know all, the processor time of that, and what each member
// takes in a second once nothing happens. Run it with -benchtime 1x.
func BenchmarkCrowd(b *testing.B) {
	b.Run("selkie", func(b *testing.B) { benchCrowd(b, selkieCrowd) })
	b.Run("memberlist", func(b *testing.B) { benchCrowd(b, memberlistCrowd) })
}

// pass lets real time pass: that is what is measured here.
func pass(d time.Duration) { <-time.After(d) }

// A member is one of a crowd: how many it knows, and how it ends.
type member struct {
	known func() int
	stop  func()
}

func benchCrowd(b *testing.B, start func(testing.TB) []member) {
	for range b.N {
		began, cpu := time.Now(), processorTime()
		members := start(b)
		for knowsLess(members) {
			if time.Since(began) > time.Minute {
				b.Fatal("not one view within a minute")
			}
			pass(5 * time.Millisecond)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/view")
		b.ReportMetric((processorTime() - cpu).Seconds(), "cpu-s/view")
		pass(3 * time.Second) // what was begun ends
		cpu = processorTime()
		pass(crowdIdle)
		idle := processorTime() - cpu
		b.ReportMetric(float64(idle.Microseconds())/1000/crowd/crowdIdle.Seconds(), "idle-cpu-ms/node/s")
		for _, m := range members {
			m.stop()
		}
	}
	b.ReportMetric(0, "ns/op")
}

func knowsLess(members []member) bool {
	for _, m := range members {
		if m.known() != crowd {
			return true
		}
	}
	return false
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it has no reason to fail
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// startSelkie returns a sealed node that joins the seeds.
func startSelkie(tb testing.TB, key selkie.Key, seeds ...string) *selkie.Node {
	tb.Helper()
	n, err := selkie.Start(context.Background(), selkie.Config{Seeds: seeds, Keys: []selkie.Key{key}})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

func selkieCrowd(tb testing.TB) []member {
	key := selkie.NewKey()
	var members []member
	var seeds []string
	for range crowd {
		n := startSelkie(tb, key, seeds...)
		if seeds == nil {
			seeds = []string{n.Self().Addr().String()}
		}
		members = append(members, member{
			known: func() int {
				count := 0
				for m := range n.Members() {
					if m.State == selkie.Alive {
						count++
					}
				}
				return count
			},
			stop: func() { n.Close() },
		})
	}
	return members
}

func memberlistCrowd(tb testing.TB) []member {
	var members []member
	var seed string
	for i := range crowd {
		config := memberlist.DefaultLANConfig()
		config.Name = fmt.Sprint(i)
		config.BindAddr, config.BindPort, config.AdvertisePort = "127.0.0.1", 0, 0
		config.SecretKey = make([]byte, 32)
		config.LogOutput = io.Discard
		list, err := memberlist.Create(config)
		if err != nil {
			tb.Fatal(err)
		}
		if seed == "" {
			seed = list.LocalNode().Address()
		} else {
			go func() { _, _ = list.Join([]string{seed}) }()
		}
		members = append(members, member{
			known: list.NumMembers,
			stop:  func() { _ = list.Shutdown() },
		})
	}
	return members
}

// BenchmarkNode reports what a sealed node takes that has settled among 50:
// goroutines, and heap beyond what the process had before, both per node.
func BenchmarkNode(b *testing.B) {
	const size = 50
	for range b.N {
		goroutines, heap := runtime.NumGoroutine(), heapInUse()
		key := selkie.NewKey()
		first := startSelkie(b, key)
		nodes := []*selkie.Node{first}
		for range size - 1 {
			nodes = append(nodes, startSelkie(b, key, first.Self().Addr().String()))
		}
		pass(10 * time.Second)
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/size, "goroutines/node")
		b.ReportMetric(float64(heapInUse()-heap)/1024/size, "KiB/node")
		for _, n := range nodes {
			n.Close()
		}
	}
	b.ReportMetric(0, "ns/op")
}

func heapInUse() int {
	runtime.GC()
	runtime.GC() // what pools keep goes with the second one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
