package main

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/selkie-go/selkie"
)

// tokenVariable is the environment variable with the token that clients of an
// agent must show over HTTP.
const tokenVariable = "SELKIE_ADMIN_TOKEN"

// maxStreams is how many event streams an agent serves at one time.
const maxStreams = 64

// A server answers questions about an agent on its admin endpoint.
type server struct {
	node    *selkie.Node
	about   selfInfo // what does not change
	started time.Time
	seeds   bool // there is a cluster to find
	token   string
	leave   func(context.Context) error // says goodbye, and ends the agent
	streams atomic.Int64
	http    http.Server
}

// serve answers on l until stop is called.
func (s *server) serve(l net.Listener, log *slog.Logger) {
	protection := http.NewCrossOriginProtection()
	s.http = http.Server{
		Handler: protection.Handler(s.routes()),
		// A request, and the next one on the same connection, must come in
		// time; an answer may take as long as it needs.
		ReadTimeout:    10 * time.Second,
		MaxHeaderBytes: 1 << 16,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("admin endpoint failed", "error", err)
		}
	}()
}

// stop lets answers that are under way finish.
func (s *server) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		s.http.Close()
	}
}

func (s *server) routes() http.Handler {
	api := http.NewServeMux()
	api.HandleFunc("GET /api/v1/self", s.getSelf)
	api.HandleFunc("GET /api/v1/members", s.getMembers)
	api.HandleFunc("GET /api/v1/events", s.getEvents)
	api.HandleFunc("GET /api/v1/stats", s.getStats)
	api.HandleFunc("POST /api/v1/join", s.postJoin)
	api.HandleFunc("POST /api/v1/leave", s.postLeave)

	mux := http.NewServeMux()
	mux.Handle("/api/", s.authorized(api))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.getReady)
	return mux
}

// authorized lets only those pass who show the token, if there is one.
func (s *server) authorized(h http.Handler) http.Handler {
	if s.token == "" {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if subtle.ConstantTimeCompare([]byte(shown), []byte(s.token)) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, "the token is missing or wrong")
			return
		}
		h.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // whoever asked may be gone
}

func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(failure{why})
}

func (s *server) getSelf(w http.ResponseWriter, _ *http.Request) {
	info := s.about
	info.memberInfo = describe(s.node.Self())
	info.Members = countStates(describeAll(s.node.Members()))
	up := time.Since(s.started)
	info.Uptime, info.UptimeSeconds = up.Round(time.Second).String(), up.Seconds()
	answer(w, info)
}

func (s *server) getMembers(w http.ResponseWriter, _ *http.Request) {
	answer(w, describeAll(s.node.Members()))
}

func (s *server) getStats(w http.ResponseWriter, _ *http.Request) {
	answer(w, describeStats(s.node.Stats()))
}

// getReady says whether we found the cluster that we were to find.
func (s *server) getReady(w http.ResponseWriter, _ *http.Request) {
	for m := range s.node.Members() {
		if !s.seeds || m.State.Active() && !m.Self {
			fmt.Fprintln(w, "ready")
			return
		}
	}
	refuse(w, http.StatusServiceUnavailable, "no other member found yet")
}

// getEvents streams events for as long as the client listens.
func (s *server) getEvents(w http.ResponseWriter, r *http.Request) {
	if s.streams.Add(1) > maxStreams {
		s.streams.Add(-1)
		refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("the agent serves no more than %d event streams", maxStreams))
		return
	}
	defer s.streams.Add(-1)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	stream := http.NewResponseController(w)
	for e := range s.node.Watch(r.Context()) {
		info := describeEvent(e)
		data, err := json.Marshal(info)
		if err != nil {
			return
		}
		// A client that stopped reading must not keep the stream for ever.
		_ = stream.SetWriteDeadline(time.Now().Add(time.Minute))
		if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", info.Kind, data); err != nil {
			return
		}
		if stream.Flush() != nil {
			return
		}
	}
}

func (s *server) postJoin(w http.ResponseWriter, r *http.Request) {
	var req joinRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&req); err != nil {
		refuse(w, http.StatusBadRequest, "not a request to join: "+err.Error())
		return
	}
	timeout := time.Duration(req.TimeoutSeconds * float64(time.Second))
	if timeout <= 0 || timeout > time.Hour {
		refuse(w, http.StatusBadRequest, "timeout_seconds must be more than 0 and at most 3600")
		return
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), timeout, fmt.Errorf("no answer within %v", timeout))
	defer cancel()
	if err := s.node.Join(ctx, req.Seeds...); err != nil {
		refuse(w, http.StatusBadGateway, err.Error())
		return
	}
	answer(w, describeAll(s.node.Members()))
}

func (s *server) postLeave(w http.ResponseWriter, r *http.Request) {
	// Leaving goes on when the client hangs up.
	if err := s.leave(context.WithoutCancel(r.Context())); err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	answer(w, describe(s.node.Self()))
}
