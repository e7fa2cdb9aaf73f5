package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// An endpoint is where an agent is talked to: a unix socket, or HTTP.
type endpoint struct {
	network, addr string
}

// String returns the endpoint as --admin takes it.
func (e endpoint) String() string {
	if e.network == "unix" {
		return "unix://" + e.addr
	}
	return "http://" + e.addr
}

// parseEndpoint reads the value of --admin: unix:///path, /path,
// http://host:port, or the port (or address) that an agent on this machine is
// bound to.
func parseEndpoint(s string) (endpoint, error) {
	if at, err := netip.ParseAddrPort(s); err == nil {
		return localEndpoint(at.Port())
	}
	if port, err := strconv.ParseUint(strings.TrimPrefix(s, ":"), 10, 16); err == nil && port != 0 {
		return localEndpoint(uint16(port))
	}
	if filepath.IsAbs(s) {
		return endpoint{"unix", s}, nil
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
	case u.Scheme == "unix" && u.Host == "" && filepath.IsAbs(u.Path):
		return endpoint{"unix", u.Path}, nil
	case u.Scheme == "http" && u.Port() != "" && (u.Path == "" || u.Path == "/"):
		return endpoint{"tcp", u.Host}, nil
	}
	return endpoint{}, fail(exitUsage, "--admin %q is neither unix:///path nor http://host:port nor a port", s)
}

// isHostPort reports whether s is "host:port", as members are named.
func isHostPort(s string) bool {
	host, service, err := net.SplitHostPort(s)
	if err != nil || host == "" {
		return false
	}
	port, err := strconv.ParseUint(service, 10, 16)
	return err == nil && port != 0
}

// localEndpoint returns the socket of the agent that is bound to a port of
// this machine.
func localEndpoint(port uint16) (endpoint, error) {
	dir, err := runtimeDir()
	if err != nil {
		return endpoint{}, err
	}
	return endpoint{"unix", filepath.Join(dir, fmt.Sprintf("%d.sock", port))}, nil
}

// runtimeDir returns the directory of this user's sockets. Nobody else may
// read it.
func runtimeDir() (string, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("selkie-%d", os.Getuid()))
	if run := os.Getenv("XDG_RUNTIME_DIR"); run != "" {
		dir = filepath.Join(run, "selkie")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("no directory for sockets: %w", err)
	}
	// The directory may be older than we are, and made by somebody else.
	info, err := os.Lstat(dir)
	if err != nil {
		return "", fmt.Errorf("no directory for sockets: %w", err)
	}
	if private := info.Mode().Perm()&0o077 == 0 || os.PathSeparator == '\\'; !info.IsDir() || !private {
		return "", fmt.Errorf("%s must be a directory that nobody else may enter (mode 0700)", dir)
	}
	return dir, nil
}

// localSockets returns the endpoints of agents that run on this machine for
// this user.
func localSockets() []string {
	dir, err := runtimeDir()
	if err != nil {
		return nil
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "*.sock")) // the pattern is good
	var live []string
	for _, path := range paths {
		if e := (endpoint{"unix", path}); e.answers() {
			live = append(live, e.String())
		}
	}
	return live
}

// answers reports whether somebody listens.
func (e endpoint) answers() bool {
	conn, err := net.DialTimeout(e.network, e.addr, time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// chooseEndpoint returns the agent that is meant if none was named: the only
// one on this machine.
func chooseEndpoint() (endpoint, error) {
	switch found := localSockets(); len(found) {
	case 0:
		return endpoint{}, fail(exitUnreachable, "no agent runs on this machine: start one with 'selkie agent', or name one with --admin")
	case 1:
		return parseEndpoint(found[0])
	default:
		return endpoint{}, fail(exitUsage, "several agents run on this machine: name one with --admin: %s", strings.Join(found, " "))
	}
}

// listen opens the endpoint. A socket file that a dead agent left behind is
// replaced; only this user may use the new one.
func (e endpoint) listen(ctx context.Context) (net.Listener, error) {
	var config net.ListenConfig
	if e.network != "unix" {
		return config.Listen(ctx, e.network, e.addr)
	}
	if e.answers() {
		return nil, fmt.Errorf("another agent listens at %v: choose another --admin", e)
	}
	info, err := os.Lstat(e.addr)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, err
	case info.Mode()&os.ModeSocket == 0:
		return nil, fmt.Errorf("%s is in the way: it is no socket", e.addr)
	default:
		if err := os.Remove(e.addr); err != nil {
			return nil, err
		}
	}
	l, err := config.Listen(ctx, e.network, e.addr)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(e.addr, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}
