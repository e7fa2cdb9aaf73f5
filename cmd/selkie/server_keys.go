package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/transport/sealed"
)

// sealing reports whether the agent has keys, or else refuses the request.
func (s *server) sealing(w http.ResponseWriter) bool {
	if s.keys == nil {
		refuse(w, http.StatusConflict, "the agent has no keys: it was started without --key-file")
	}
	return s.keys != nil
}

func (s *server) getKeys(w http.ResponseWriter, _ *http.Request) {
	if s.sealing(w) {
		answer(w, s.keys.describe())
	}
}

func (s *server) postUse(w http.ResponseWriter, r *http.Request) {
	s.changeKeys(w, r, func(id selkie.KeyID, req keyRequest) error {
		return s.keys.use(id, req.Force)
	})
}

func (s *server) postRetire(w http.ResponseWriter, r *http.Request) {
	s.changeKeys(w, r, func(id selkie.KeyID, req keyRequest) error {
		grace := s.keys.grace
		if req.GraceSeconds != nil {
			grace = time.Duration(*req.GraceSeconds * float64(time.Second))
		}
		if grace < 0 || grace > maxGrace {
			return errGrace
		}
		return s.keys.retire(id, req.Force, grace)
	})
}

// maxGrace is the longest time that a retired key may be accepted: as long as
// anything is remembered.
const maxGrace = 45 * 24 * time.Hour

var errGrace = errors.New("grace_seconds must be from 0 to those of 45 days")

// changeKeys carries out a request about one key. No key is part of it.
func (s *server) changeKeys(w http.ResponseWriter, r *http.Request, do func(selkie.KeyID, keyRequest) error) {
	var req keyRequest
	if !s.sealing(w) || !s.read(w, r, 1<<10, &req) {
		return
	}
	id, err := sealed.ParseKeyID(req.ID)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	switch err := do(id, req); {
	case err == nil:
		answer(w, s.keys.describe())
	case errors.Is(err, errUnknownKey):
		refuse(w, http.StatusNotFound, err.Error())
	case errors.Is(err, errGrace):
		refuse(w, http.StatusBadRequest, err.Error())
	default:
		refuse(w, http.StatusConflict, err.Error())
	}
}
