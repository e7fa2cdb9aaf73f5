package main

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// silent returns a client of an agent that takes calls and answers none, as
// one that the system has stopped does.
func silent(t *testing.T) *client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return newClient(endpoint{"tcp", l.Addr().String()})
}

func TestAgentThatDoesNotAnswerIsUnreachable(t *testing.T) {
	ctx, cancel := patient(t.Context(), 10*time.Millisecond)
	defer cancel()
	err := silent(t).call(ctx, http.MethodGet, "/api/v1/self", nil, nil)
	exit, ok := errors.AsType[*exitError](err)
	if !ok || exit.code != exitUnreachable || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("got %v", err)
	}
}
