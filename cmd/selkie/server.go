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
	"net/http/pprof"
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
	node      *selkie.Node
	about     selfInfo // what does not change
	started   time.Time
	seeds     func() bool // there is a cluster to find
	token     string
	profiling bool                        // may be asked for
	leave     func(context.Context) error // says goodbye, and ends the agent
	reload    func() (reloadInfo, error)
	events    *eventLog
	tags      *tagbook
	keys      *keyring // nil if packets are not sealed
	metrics   http.Handler
	streams   atomic.Int64
	beat      heartbeat
	http      http.Server
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
	api.HandleFunc("GET /api/v1/tags", s.getTags)
	api.HandleFunc("GET /api/v1/keys", s.getKeys)
	api.HandleFunc("POST /api/v1/join", s.postJoin)
	api.HandleFunc("POST /api/v1/leave", s.postLeave)
	api.HandleFunc("POST /api/v1/tags", s.postTags)
	api.HandleFunc("POST /api/v1/send", s.postSend)
	api.HandleFunc("POST /api/v1/ping", s.postPing)
	api.HandleFunc("POST /api/v1/keys/use", s.postUse)
	api.HandleFunc("POST /api/v1/keys/retire", s.postRetire)
	api.HandleFunc("POST /-/reload", s.postReload)
	if s.metrics != nil {
		api.Handle("GET /metrics", s.metrics)
	}
	if s.profiling {
		api.HandleFunc("GET /debug/pprof/", pprof.Index)
		api.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		api.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		api.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	mux := http.NewServeMux()
	mux.Handle("/", s.authorized(api))
	mux.HandleFunc("GET /livez", s.getLive)
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

// read decodes a request of at most so many bytes, or refuses it.
func (s *server) read(w http.ResponseWriter, r *http.Request, most int64, req any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, most)).Decode(req); err != nil {
		refuse(w, http.StatusBadRequest, "not the request that belongs here: "+err.Error())
		return false
	}
	return true
}

// limited returns a context that ends when a request has taken so many seconds,
// or refuses the request.
func limited(w http.ResponseWriter, r *http.Request, seconds float64) (context.Context, context.CancelFunc, bool) {
	timeout := time.Duration(seconds * float64(time.Second))
	if timeout <= 0 || timeout > time.Hour {
		refuse(w, http.StatusBadRequest, "timeout_seconds must be more than 0 and at most 3600")
		return nil, nil, false
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), timeout, fmt.Errorf("no answer within %v", timeout))
	return ctx, cancel, true
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

func (s *server) postJoin(w http.ResponseWriter, r *http.Request) {
	var req joinRequest
	if !s.read(w, r, 1<<20, &req) {
		return
	}
	ctx, cancel, ok := limited(w, r, req.TimeoutSeconds)
	if !ok {
		return
	}
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
