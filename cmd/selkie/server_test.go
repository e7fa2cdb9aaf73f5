package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/transport/mem"
)

// serverFor returns the admin endpoint of a node in a network of its own.
func serverFor(t *testing.T, network *mem.Network, at string, configure func(*server)) *httptest.Server {
	t.Helper()
	conn, err := network.Listen(netip.MustParseAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	node, err := selkie.Start(t.Context(), selkie.Config{Transport: conn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { node.Close() })
	s := &server{node: node, leave: node.Leave, seeds: func() bool { return false }, events: newEventLog()}
	go s.events.follow(node, slog.New(slog.DiscardHandler))
	configure(s)
	h := httptest.NewServer(s.routes())
	t.Cleanup(h.Close)
	return h
}

// request returns the status and the body of an answer.
func request(t *testing.T, method, url, token, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestOnlyHealthIsToldWithoutTheToken(t *testing.T) {
	h := serverFor(t, mem.NewNetwork(), "10.0.0.1:1", func(s *server) { s.token = "secret" })
	for _, c := range []struct {
		path, token string
		want        int
	}{
		{"/livez", "", http.StatusOK},
		{"/readyz", "", http.StatusOK},
		{"/api/v1/self", "secret", http.StatusOK},
		{"/api/v1/self", "", http.StatusUnauthorized},
		{"/api/v1/members", "Secret", http.StatusUnauthorized},
		{"/api/v1/stats", "secret2", http.StatusUnauthorized},
		{"/api/v1/events", "", http.StatusUnauthorized},
		{"/api/v1/none", "secret", http.StatusNotFound},
	} {
		if got, body := request(t, http.MethodGet, h.URL+c.path, c.token, ""); got != c.want {
			t.Errorf("%s with token %q: %d, want %d: %s", c.path, c.token, got, c.want, body)
		}
	}
}

func TestReadyWhenTheClusterIsFound(t *testing.T) {
	network := mem.NewNetwork()
	serverFor(t, network, "10.0.0.1:1", func(*server) {})
	h := serverFor(t, network, "10.0.0.2:1", func(s *server) { s.seeds = func() bool { return true } })
	if got, _ := request(t, http.MethodGet, h.URL+"/readyz", "", ""); got != http.StatusServiceUnavailable {
		t.Errorf("alone: %d", got)
	}
	if got, body := request(t, http.MethodPost, h.URL+"/api/v1/join", "", `{"seeds":["10.0.0.1:1"],"timeout_seconds":5}`); got != http.StatusOK {
		t.Errorf("join: %d %s", got, body)
	}
	if got, _ := request(t, http.MethodGet, h.URL+"/readyz", "", ""); got != http.StatusOK {
		t.Errorf("joined: %d", got)
	}
}

func TestBadRequestsAreRefusedWithASentence(t *testing.T) {
	h := serverFor(t, mem.NewNetwork(), "10.0.0.1:1", func(*server) {})
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{http.MethodPost, "/api/v1/join", "", http.StatusBadRequest},
		{http.MethodPost, "/api/v1/join", `{"seeds":["10.0.0.2:1"]}`, http.StatusBadRequest},
		{http.MethodPost, "/api/v1/join", `{"seeds":["10.0.0.2:1"],"timeout_seconds":1e300}`, http.StatusBadRequest},
		{http.MethodPost, "/api/v1/join", `{"seeds":[],"timeout_seconds":1}`, http.StatusBadGateway},
		{http.MethodPost, "/api/v1/join", `{"seeds":["` + strings.Repeat("x", 2<<20) + `"]}`, http.StatusBadRequest},
		{http.MethodGet, "/api/v1/leave", "", http.StatusMethodNotAllowed},
	} {
		if got, body := request(t, c.method, h.URL+c.path, "", c.body); got != c.want || body == "" {
			t.Errorf("%s %s: %d, want %d: %s", c.method, c.path, got, c.want, body)
		}
	}
}

func TestEventStreamsAreLimited(t *testing.T) {
	h := serverFor(t, mem.NewNetwork(), "10.0.0.1:1", func(*server) {})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range maxStreams {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL+"/api/v1/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
	}
	if got, body := request(t, http.MethodGet, h.URL+"/api/v1/events", "", ""); got != http.StatusServiceUnavailable {
		t.Errorf("one more: %d %s", got, body)
	}
}
