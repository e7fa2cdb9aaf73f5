package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/transport/mem"
)

// A fleet is some services in a network in memory, and what clients have written.
type fleet struct {
	t        *testing.T
	network  *mem.Network
	services map[string]*service // by address
	written  map[string]string
}

const first = "10.0.0.1:7946"

func newFleet(t *testing.T) *fleet {
	network := mem.NewNetwork()
	network.Latency = time.Millisecond
	var sent atomic.Uint64
	network.Lost = func(_, _ netip.AddrPort) bool { return sent.Add(1)%50 == 0 }
	f := &fleet{t: t, network: network, services: make(map[string]*service), written: make(map[string]string)}
	t.Cleanup(func() {
		for at := range f.services {
			f.stop(at)
		}
		time.Sleep(10 * time.Second) // of fake time, until nobody waits for an answer
	})
	return f
}

func (f *fleet) start(at string) {
	f.t.Helper()
	conn, err := f.network.Listen(netip.MustParseAddrPort(at))
	if err != nil {
		f.t.Fatal(err)
	}
	cfg := selkie.Config{Transport: conn, Keys: []selkie.Key{{1}}}
	for other := range f.services {
		cfg.Seeds = append(cfg.Seeds, other)
	}
	s, err := start(f.t.Context(), cfg, "web of "+at)
	if err != nil {
		f.t.Fatal(err)
	}
	f.services[at] = s
}

// stop ends a service without a word.
func (f *fleet) stop(at string) {
	f.t.Helper()
	if err := f.services[at].node.Close(); err != nil {
		f.t.Error(err)
	}
	delete(f.services, at)
}

// wait waits until all know who is there, and each value is on its owners and
// nowhere else.
func (f *fleet) wait() {
	f.t.Helper()
	why := ""
	for range 1200 {
		if why = f.unsettled(); why == "" {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	f.t.Fatal("after two minutes: ", why)
}

func (f *fleet) unsettled() string {
	for at, s := range f.services {
		known := 0
		for m := range s.node.Members() {
			if web, _ := m.Tag("http"); m.State == selkie.Alive && web == "web of "+m.Addr().String() {
				known++
			}
		}
		if known != len(f.services) {
			return fmt.Sprintf("%s knows %d of %d", at, known, len(f.services))
		}
		s.mu.Lock()
		held := slices.Collect(maps.Keys(s.values))
		s.mu.Unlock()
		for key := range f.written {
			owns := slices.Contains(s.owners(key, copies, selkie.ID{}), s.node.Self().ID)
			if owns != slices.Contains(held, key) {
				return fmt.Sprintf("%s owns %s: %v, and holds it: %v", at, key, owns, !owns)
			}
		}
	}
	return ""
}

// ask has a service answer a client.
func ask(s *service, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.handler().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func (f *fleet) write(s *service, key, value string) {
	f.t.Helper()
	if w := ask(s, "PUT", "/k/"+key, value); w.Code != http.StatusOK {
		f.t.Errorf("PUT %s: %d %s", key, w.Code, w.Body)
	}
	f.written[key] = value
}

// readAll reads every value through every service.
func (f *fleet) readAll(when string) {
	f.t.Helper()
	for at, s := range f.services {
		for key, value := range f.written {
			if w := ask(s, "GET", "/k/"+key, ""); w.Code != http.StatusOK || w.Body.String() != value {
				f.t.Errorf("%s: GET %s of %s: %d %q, want %q", when, key, at, w.Code, w.Body, value)
			}
		}
	}
}

// wantBalance checks that no service holds much more than its share.
func (f *fleet) wantBalance() {
	f.t.Helper()
	share := copies * len(f.written) / len(f.services)
	for at, s := range f.services {
		if held := len(s.values); held < share*2/3 || held > share*4/3 {
			f.t.Errorf("%s holds %d values of %d", at, held, len(f.written))
		}
	}
}

func TestValuesOutliveWhoComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		for i := range 4 {
			f.start(fmt.Sprintf("10.0.0.%d:7946", i+1))
		}
		f.wait()
		writers := slices.Collect(maps.Values(f.services))
		for i := range 200 {
			f.write(writers[i%4], fmt.Sprintf("key-%d", i), fmt.Sprintf("value %d", i))
		}
		f.write(f.services[first], "key-7", "another value")
		f.readAll("written")
		f.wait()
		f.wantBalance()

		f.stop("10.0.0.3:7946")
		f.readAll("one was killed, and nobody knows")
		f.wait()
		f.readAll("one is down")
		f.wantBalance()

		f.start("10.0.0.5:7946")
		f.readAll("one comes")
		f.wait()
		f.readAll("one came")
		f.wantBalance()

		if err := f.services["10.0.0.2:7946"].leave(); err != nil {
			t.Error(err)
		}
		f.stop("10.0.0.2:7946")
		f.readAll("one has just left")
		f.wait()
		f.readAll("one left")
		f.wantBalance()

		f.stop(first)
		f.start(first)
		f.readAll("one was started again")
		f.wait()
		f.readAll("the one that was started again has its values")
		f.wantBalance()
	})
}

func TestNobodyInventsAValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		f.start(first)
		f.start("10.0.0.2:7946")
		f.wait()
		s := f.services[first]
		if w := ask(s, "GET", "/k/none", ""); w.Code != http.StatusNotFound {
			t.Errorf("GET of what nobody wrote: %d %s", w.Code, w.Body)
		}
		if w := ask(s, "PUT", "/k/large", strings.Repeat("x", 1<<18+1)); w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("PUT of too much: %d %s", w.Code, w.Body)
		}
		want := "10.0.0.1:7946 alive web of 10.0.0.1:7946\n10.0.0.2:7946 alive web of 10.0.0.2:7946\n"
		if w := ask(s, "GET", "/members", ""); w.Body.String() != want {
			t.Errorf("GET /members: %s", w.Body)
		}
		f.stop("10.0.0.2:7946")
		if w := ask(s, "GET", "/k/none", ""); w.Code != http.StatusServiceUnavailable {
			t.Errorf("GET while one does not answer: %d %s", w.Code, w.Body)
		}
		if w := ask(s, "PUT", "/k/key", "x"); w.Code != http.StatusServiceUnavailable {
			t.Errorf("PUT while one does not answer: %d %s", w.Code, w.Body)
		}
	})
}

func TestLargeValuesTakeStreams(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	services := make([]*service, 2)
	for i := range services {
		s, err := start(ctx, selkie.Config{Keys: []selkie.Key{{1}}}, "")
		if err != nil {
			t.Fatal(err)
		}
		defer s.node.Close()
		services[i] = s
	}
	if err := services[1].node.Join(ctx, services[0].node.Self().Addr().String()); err != nil {
		t.Fatal(err)
	}
	for e := range services[0].node.Watch(ctx) {
		if e.Kind == selkie.EventUp || len(e.Members) == 2 {
			break
		}
	}
	value := bytes.Repeat([]byte("large "), 12_000)
	if w := ask(services[0], "PUT", "/k/key", string(value)); w.Code != http.StatusOK {
		t.Fatalf("PUT: %d %s", w.Code, w.Body)
	}
	for i, s := range services {
		s.mu.Lock()
		held := s.values["key"].Value
		s.mu.Unlock()
		if !bytes.Equal(held, value) {
			t.Errorf("service %d holds %d bytes, want %d", i, len(held), len(value))
		}
	}
}
