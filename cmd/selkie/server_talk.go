package main

import (
	"errors"
	"net/http"
	"net/netip"
	"time"

	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/swim"
)

// maxSend is the most bytes of a request that carries a payload of 1 MiB.
const maxSend = 1<<20/3*4 + 1<<10

func (s *server) getTags(w http.ResponseWriter, _ *http.Request) { answer(w, s.tags.tags()) }

func (s *server) postTags(w http.ResponseWriter, r *http.Request) {
	var req tagsRequest
	if !s.read(w, r, 1<<20, &req) {
		return
	}
	tags, err := s.tags.change(req.Set, req.Unset)
	if err != nil {
		refuse(w, statusOf(err), err.Error())
		return
	}
	answer(w, tags)
}

// named returns the member at an address, or refuses the request.
func (s *server) named(w http.ResponseWriter, addr string) (selkie.Member, bool) {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		refuse(w, http.StatusBadRequest, "to must be IP:port")
		return selkie.Member{}, false
	}
	m, ok := s.node.Member(at)
	if !ok {
		refuse(w, http.StatusNotFound, "there is no member at "+addr)
	}
	return m, ok
}

// statusOf returns the status that says best why something was not done.
func statusOf(err error) int {
	switch {
	case errors.Is(err, selkie.ErrNotMember):
		return http.StatusConflict
	case errors.Is(err, swim.ErrTooBig):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, errors.ErrUnsupported):
		return http.StatusNotImplemented
	default:
		return http.StatusBadGateway
	}
}

func (s *server) postSend(w http.ResponseWriter, r *http.Request) {
	var req sendRequest
	if !s.read(w, r, maxSend, &req) {
		return
	}
	to, ok := s.named(w, req.To)
	if !ok {
		return
	}
	if err := s.node.Send(r.Context(), to.ID, req.Payload); err != nil {
		refuse(w, statusOf(err), err.Error())
		return
	}
	answer(w, struct{}{})
}

func (s *server) postPing(w http.ResponseWriter, r *http.Request) {
	var req pingRequest
	if !s.read(w, r, 1<<10, &req) {
		return
	}
	to, ok := s.named(w, req.To)
	if !ok {
		return
	}
	ctx, cancel, ok := limited(w, r, req.TimeoutSeconds)
	if !ok {
		return
	}
	defer cancel()
	rtt, err := s.node.Ping(ctx, to.ID)
	switch {
	case err == nil:
		answer(w, pingInfo{rtt.Round(time.Microsecond).String(), rtt.Seconds()})
	case ctx.Err() != nil:
		refuse(w, http.StatusGatewayTimeout, err.Error())
	default:
		refuse(w, statusOf(err), err.Error())
	}
}

func (s *server) postReload(w http.ResponseWriter, _ *http.Request) {
	changed, err := s.reload()
	if err != nil {
		refuse(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	answer(w, changed)
}
