package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// A client talks to one agent.
type client struct {
	endpoint endpoint
	base     string
	token    string
	http     *http.Client
}

// dial returns a client of the agent that --admin names. Nothing is sent yet.
func (a *app) dial() (*client, error) {
	if a.admin == "" {
		e, err := chooseEndpoint()
		if err != nil {
			return nil, err
		}
		return newClient(e), nil
	}
	e, err := parseEndpoint(a.admin)
	if err != nil {
		return nil, err
	}
	return newClient(e), nil
}

func newClient(e endpoint) *client {
	c := &client{endpoint: e, base: "http://" + e.addr, token: os.Getenv(tokenVariable)}
	transport := &http.Transport{DisableCompression: true}
	if e.network == "unix" {
		c.base = "http://agent"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, e.network, e.addr)
		}
	}
	c.http = &http.Client{Transport: transport}
	return c
}

// do sends a request and returns the answer if it is a success.
func (c *client) do(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, c.refusal(resp)
}

// unreachable returns why there is no answer: we gave up, or there is nobody.
func (c *client) unreachable(ctx context.Context, err error) error {
	switch gaveUp := context.Cause(ctx); {
	case gaveUp == nil:
		return fail(exitUnreachable, "no agent answers at %v: %w", c.endpoint, cause(err))
	case errors.Is(gaveUp, errSilent):
		return fail(exitUnreachable, "the agent at %v is there, but does not answer", c.endpoint)
	default:
		return gaveUp
	}
}

// cause returns what is at the bottom of an error of net/http, without the
// addresses that it repeats.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		if sys, ok := errors.AsType[*os.SyscallError](op.Err); ok {
			return sys.Err
		}
		return op.Err
	}
	return err
}

// refusal returns what an agent said about why it did not do something.
func (c *client) refusal(resp *http.Response) error {
	if resp.StatusCode == http.StatusUnauthorized {
		return fail(exitUsage, "the agent at %v wants its token in %s", c.endpoint, tokenVariable)
	}
	var f failure
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&f); err != nil || f.Error == "" {
		return fmt.Errorf("the agent at %v answers %s", c.endpoint, resp.Status)
	}
	if resp.StatusCode == http.StatusNotFound {
		return fail(exitNothing, "%s", strings.TrimPrefix(f.Error, "selkie: "))
	}
	return errors.New(f.Error)
}

// call sends a request and decodes the answer into result.
func (c *client) call(ctx context.Context, method, path string, body, result any) error {
	resp, err := c.do(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if result == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(result); err != nil {
		if ctx.Err() != nil {
			return c.unreachable(ctx, err)
		}
		return fmt.Errorf("the agent at %v does not make sense: %w", c.endpoint, err)
	}
	return nil
}

func (c *client) members(ctx context.Context) (members []memberInfo, err error) {
	err = c.call(ctx, http.MethodGet, "/api/v1/members", nil, &members)
	return members, err
}

// events returns what happens at the agent, first a snapshot. The last pair
// has the error that ended it; one that ctx ended ends without.
func (c *client) events(ctx context.Context) iter.Seq2[eventInfo, error] {
	return func(yield func(eventInfo, error) bool) {
		resp, err := c.do(ctx, http.MethodGet, "/api/v1/events", nil)
		if err != nil {
			if ctx.Err() == nil {
				yield(eventInfo{}, err)
			}
			return
		}
		defer resp.Body.Close()
		lines := bufio.NewReader(resp.Body)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				if ctx.Err() == nil {
					yield(eventInfo{}, fail(exitUnreachable, "the agent at %v is gone", c.endpoint))
				}
				return
			}
			data, ok := strings.CutPrefix(line, "data: ")
			if !ok {
				continue
			}
			var e eventInfo
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				yield(eventInfo{}, fmt.Errorf("the agent at %v does not make sense: %w", c.endpoint, err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// askFor is how long an agent has for an answer that it need not wait for.
const askFor = 10 * time.Second

var errSilent = errors.New("no answer in time")

// patient returns a context that ends when an agent had enough time to answer.
func patient(ctx context.Context, enough time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, enough, errSilent)
}
