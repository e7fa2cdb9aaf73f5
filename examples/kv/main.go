// Kv is a key-value service in memory, spread over the members of a cluster.
// Each value is on two of them, any of them answers, and values move when members
// come and go:
//
//	go run ./examples/kv --bind 127.0.0.1:7946 --http 127.0.0.1:8001
//	go run ./examples/kv --bind 127.0.0.1:7947 --http 127.0.0.1:8002 --join 127.0.0.1:7946
//	curl -X PUT -d hello 127.0.0.1:8001/k/greeting
//	curl 127.0.0.1:8002/k/greeting
//
// A value that was acknowledged outlives the crash of one member at a time. In a
// partition each side goes on alone, and afterwards the later write wins, by the
// clocks of those who took it. If that is not good enough, you need consensus.
package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/selkie-go/selkie"
)

const copies = 2 // of each value

// A service is one member and the values that it holds. It ends with its node.
type service struct {
	node    *selkie.Node
	started chan struct{} // closed when node is set

	mu     sync.Mutex
	values map[string]message // what was put last, by key
	asking sync.Map           // from the number of a question to the channel for replies
}

// A message is what members say to each other with Node.Send. So nobody else is
// heard, keys seal this too, and there is no second port to protect.
type message struct {
	Kind    string // get, put, offer or reply
	Number  uint64 // of the question
	Key     string
	Value   []byte
	Version uint64            // of the value; the later one wins, and 0 says that there is none
	Offers  map[string]uint64 // versions of what the sender holds
	Lacks   []string          // which of them are news
	from    selkie.ID
}

// start returns a service that clients find at an HTTP address. It waits for a
// seed: who is still alone would take what it does not know for what there is not.
func start(ctx context.Context, cfg selkie.Config, web string) (s *service, err error) {
	s = &service{started: make(chan struct{}), values: make(map[string]message)}
	cfg.Tags = map[string]string{"http": web} // any member tells clients about the others
	cfg.MaxMessage = 16 << 20                 // a value in JSON, and offers of all that we hold
	cfg.OnMessage = func(from selkie.ID, payload []byte) {
		<-s.started // a message may be here before Start has returned
		m := message{from: from}
		if json.Unmarshal(payload, &m) == nil {
			s.handle(m)
		}
	}
	if s.node, err = selkie.Start(ctx, cfg); err != nil {
		return nil, err
	}
	close(s.started)
	go s.keepPlacing()
	if len(cfg.Seeds) > 0 {
		err = s.node.Join(ctx, cfg.Seeds...)
	}
	return s, err
}

// leave gives what we hold to those who will own it, and says goodbye, so that
// nobody has to find out. What could not be given is on another member, too.
func (s *service) leave() error {
	s.place(s.node.Self().ID)
	return s.node.Leave(context.Background())
}

// owners returns the first members in an order that differs from key to key
// (rendezvous hashing). All compute the same, and when a member comes or goes, only
// its own keys move. Suspects count: most refute before their values had moved.
func (s *service) owners(key string, most int, without selkie.ID) (ids []selkie.ID) {
	scores := make(map[selkie.ID]string)
	for m := range s.node.Members() {
		if m.State.Active() && m.ID != without {
			// Of the address: who was started again owns what it did before.
			sum := sha256.Sum256([]byte(m.Addr().String() + " " + key))
			ids, scores[m.ID] = append(ids, m.ID), string(sum[:])
		}
	}
	slices.SortFunc(ids, func(a, b selkie.ID) int { return strings.Compare(scores[a], scores[b]) })
	return ids[:min(most, len(ids))]
}

// keepPlacing places values when members come and go. What happens meanwhile is one
// event: only who is there now matters.
func (s *service) keepPlacing() {
	changed := make(chan struct{}, 1)
	go func() {
		for range s.node.Watch(context.Background()) {
			select {
			case changed <- struct{}{}:
			default:
			}
		}
		close(changed) // the node is
	}()
	for open := true; open; {
		s.place(selkie.ID{})
		select {
		case _, open = <-changed:
		case <-time.After(10 * time.Second): // somebody may not have answered
		}
	}
}

// place gives what we hold to those of its owners that lack it, without remembering
// who has what: who was started again has lost it. What only others own is dropped
// when all have it: they come before us, so the first two who have it never drop it.
func (s *service) place(without selkie.ID) {
	s.mu.Lock()
	held := maps.Clone(s.values)
	s.mu.Unlock()
	offers := make(map[selkie.ID]map[string]uint64)
	missing := make(map[string]int) // how many owners are not known to have it
	for key, v := range held {
		for _, id := range s.owners(key, copies, without) {
			if offers[id] == nil {
				offers[id] = make(map[string]uint64)
			}
			offers[id][key] = v.Version
			missing[key]++
		}
	}
	delete(offers, s.node.Self().ID) // so that what is ours is always missing, and kept
	for id, offer := range offers {
		reply, missed := s.ask(message{Kind: "offer", Offers: offer}, id)
		for i := 0; i < len(reply.Lacks) && missed == 0; i++ { // one at a time, so that nobody is flooded
			_, missed = s.ask(held[reply.Lacks[i]], id)
		}
		for key := range offer {
			missing[key] -= 1 - missed
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.values, func(key string, v message) bool {
		return missing[key] == 0 && v.Version == held[key].Version
	})
}

// ask asks members, and returns the newest reply and how many gave none. Datagrams
// get lost, so they are asked until they reply; to be asked twice does no harm.
func (s *service) ask(m message, ids ...selkie.ID) (newest message, missed int) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	replies := make(chan message, len(ids))
	m.Number = rand.Uint64()
	s.asking.Store(m.Number, replies)
	defer s.asking.Delete(m.Number)
	for ctx.Err() == nil && len(ids) > 0 {
		for _, id := range ids {
			go s.send(ctx, id, m) // a large message takes a stream, and its time
		}
		for rest := time.After(200 * time.Millisecond); rest != nil && len(ids) > 0; {
			select {
			case r := <-replies:
				ids = slices.DeleteFunc(ids, func(id selkie.ID) bool { return id == r.from })
				if r.Version >= newest.Version {
					newest = r
				}
			case <-rest:
				rest = nil
			}
		}
	}
	return newest, len(ids)
}

// send sends a message, also to ourselves. Who misses it asks again.
func (s *service) send(ctx context.Context, to selkie.ID, m message) {
	if m.from = s.node.Self().ID; to == m.from {
		s.handle(m)
	} else if payload, err := json.Marshal(m); err == nil {
		_ = s.node.Send(ctx, to, payload)
	}
}

// handle handles a message. It must not take long: others wait behind it.
func (s *service) handle(m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reply := message{Kind: "reply", Number: m.Number}
	switch m.Kind {
	case "get":
		reply.Value, reply.Version = s.values[m.Key].Value, s.values[m.Key].Version
	case "put":
		if m.Version > s.values[m.Key].Version {
			s.values[m.Key] = m
		}
	case "offer":
		for key, version := range m.Offers {
			if version > s.values[key].Version {
				reply.Lacks = append(reply.Lacks, key)
			}
		}
	default:
		replies, _ := s.asking.Load(m.Number)
		waiting, _ := replies.(chan message)
		select {
		case waiting <- m:
		default: // nobody waits for it any more, or it came twice
		}
		return
	}
	go s.send(context.Background(), m.from, reply)
}

// handler answers clients.
func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /k/{key}", func(w http.ResponseWriter, r *http.Request) {
		// One more than own it: who did until a member came may be all that has it.
		ids := s.owners(r.PathValue("key"), copies+1, selkie.ID{})
		newest, missed := s.ask(message{Kind: "get", Key: r.PathValue("key")}, ids...)
		switch {
		case newest.Version > 0:
			_, _ = w.Write(newest.Value)
		case missed > 0:
			http.Error(w, "not all who may have it answered: try again", http.StatusServiceUnavailable)
		default:
			http.NotFound(w, r)
		}
	})
	mux.HandleFunc("PUT /k/{key}", func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		version := uint64(time.Now().UnixMicro())<<12 | rand.Uint64N(1<<12) // no two writes have the same
		m := message{Kind: "put", Key: r.PathValue("key"), Value: b, Version: version}
		ids := s.owners(m.Key, copies, selkie.ID{})
		if _, missed := s.ask(m, ids...); missed > 0 || len(ids) == 0 {
			http.Error(w, "not all of its owners have it: try again", http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("GET /members", func(w http.ResponseWriter, _ *http.Request) {
		for m := range s.node.Members() {
			web, _ := m.Tag("http")
			fmt.Fprintln(w, m, web)
		}
	})
	return http.MaxBytesHandler(mux, 1<<18)
}

func main() {
	var cfg selkie.Config
	flag.TextVar(&cfg.Bind, "bind", netip.MustParseAddrPort("127.0.0.1:7946"), "address to receive at")
	web := flag.String("http", "127.0.0.1:8001", "address to serve clients at")
	flag.Func("join", "a member, host:port; repeat it for more", func(s string) error { cfg.Seeds = append(cfg.Seeds, s); return nil })
	flag.Func("key-file", "file that 'selkie keygen' made: its last line is a key", func(path string) error {
		text, err := os.ReadFile(path)
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		key, wrong := selkie.ParseKey(lines[len(lines)-1])
		cfg.Keys = []selkie.Key{key}
		return cmp.Or(err, wrong)
	})
	flag.Parse()
	if !cfg.Bind.Addr().IsLoopback() && cfg.Keys == nil {
		log.Fatalf("without --key-file anybody on the network of %v could take part", cfg.Bind)
	}
	told, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	s, err := start(told, cfg, *web)
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.ListenAndServe(*web, s.handler())) }()
	<-told.Done()
	stop() // the next signal ends us at once
	if err := s.leave(); err != nil {
		log.Fatal(err)
	}
}
