package selkie

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/selkie-go/selkie/swim"
)

// Errors of a [Node]. They may come wrapped.
var (
	// ErrClosed: the node was closed.
	ErrClosed = errors.New("selkie: node is closed")
	// ErrNoSeed: nobody who was asked has answered. It is wrapped with what
	// is known of each of them.
	ErrNoSeed = errors.New("selkie: no seed answered")
)

// A Config says how a [Node] takes part. The zero value of a field means its
// default.
type Config struct {
	// Bind is the address to receive at. If zero, 127.0.0.1 and a port that
	// the system chooses. It is not used with a Transport.
	Bind netip.AddrPort
	// Advertise is where the others reach us, if that is not the address
	// that the transport is bound to: "host:port", or a host alone for the
	// port that is bound. A name is looked up again now and then; if it has moved,
	// so have we, under a new identity. It must be given if the transport is bound
	// to all addresses of the machine.
	Advertise string
	// Wire is the language of the cluster. If zero, [WireCompact].
	Wire Wire
	// Cluster is the name of the cluster. Packets of another one are
	// refused. It is not used with [WireFoca], which has no place for it.
	Cluster string
	// Name is what the others may call us, beside our address. Names need not be
	// different.
	Name string
	// Tags are what the others are told about us, as [Node.SetTags] replaces them.
	Tags map[string]string
	// Keys seal all that travels: the first one is used, and all are accepted. If
	// there are none, packets only have a checksum, and whoever can send one
	// can take part.
	Keys []Key
	// DataDir is a directory in which the node keeps who it is, whom it knows and
	// the names of its keys, so that it finds back into the cluster after a
	// restart without a seed. It is made if it is not there, and belongs to one
	// node at a time. A file there that is damaged is set aside, and reported. If
	// empty, nothing is kept.
	DataDir string
	// Seeds are members, as "host:port", that are contacted again and again
	// for as long as they are not active: the way into a cluster, and back
	// into it after it fell apart. Names are looked up again now and then.
	Seeds []string

	// Protocol has the settings of the protocol. If zero, those of
	// [swim.LAN]. What seals or frames a packet comes off its MaxPacket; with
	// [WireFoca] they are changed as [foca.Protocol] says.
	Protocol swim.Config
	// Transport carries the packets. It belongs to the node from Start on,
	// which closes it even if it fails. If it is a [StreamTransport], streams are
	// used, too. If nil, UDP and TCP on Bind, or with [WireFoca] only UDP.
	Transport Transport

	// OnBroadcast is given every payload that another member broadcast, with
	// the life it came from, its key, and memory of its own. Calls come one
	// at a time, from a goroutine that nothing else waits for; while a call
	// takes long, up to EventBuffer payloads wait, and those beyond are lost
	// and counted. It must not call [Node.Close], which waits for it. If nil,
	// payloads are passed on all the same. With [WireFoca] the key is empty, and
	// the life is that of whoever passed the payload on.
	OnBroadcast func(from ID, key string, payload []byte)
	// OnMessage is given every payload that another member sent to us alone with
	// [Node.Send], with the life that it came from. What was said of OnBroadcast
	// holds for it; the two are never called at the same time. Either may be
	// called before Start has returned.
	OnMessage func(from ID, payload []byte)
	// MaxMessage is the largest payload that Send takes and OnMessage is given.
	// If zero, 1 MiB.
	MaxMessage int
	// EventBuffer is how many events a watcher may fall behind before it
	// gets a snapshot in their place, and how many payloads wait for
	// OnBroadcast. If zero, 1,024.
	EventBuffer int
	// Log is told what happens, also by the goroutine that owns the protocol: its
	// handler must not call the node, and should not take long. If nil, nobody is
	// told.
	Log *slog.Logger
}

// A Transport carries datagrams. Its methods may be called at the same time.
// Package udp and package mem in transport have one each.
type Transport interface {
	// ReadFrom waits for a datagram, puts it at the beginning of b, and says
	// where it came from. One that is longer than b is cut or passed over. It
	// returns an error only when there will be no more.
	ReadFrom(b []byte) (n int, from netip.AddrPort, err error)
	// WriteTo sends a datagram, which may get lost. It does not keep b, and
	// does not wait for anybody.
	WriteTo(b []byte, to netip.AddrPort) error
	// LocalAddr is the address that ReadFrom receives at.
	LocalAddr() netip.AddrPort
	// Close ends a waiting ReadFrom.
	Close() error
}

// withDefaults returns the configuration with zero fields set to what they
// mean, except for the transport.
func (c Config) withDefaults() Config {
	if !c.Bind.IsValid() {
		c.Bind = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0)
	}
	if c.EventBuffer == 0 {
		c.EventBuffer = 1024
	}
	if c.MaxMessage == 0 {
		c.MaxMessage = 1 << 20
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Protocol = c.Wire.protocol(c.Protocol).WithDefaults()
	// Suspicions and refutations are part of what Members shows.
	c.Protocol.Notify.Suspect = true
	c.Protocol.Notify.Updated = true
	return c
}

func (c Config) validate() error {
	if c.EventBuffer < 1 {
		return fmt.Errorf("selkie: Config.EventBuffer must be at least 1, not %d", c.EventBuffer)
	}
	if c.MaxMessage < 0 || c.MaxMessage > 1<<30 {
		return fmt.Errorf("selkie: Config.MaxMessage must be from 1 to 1 GiB, not %d", c.MaxMessage)
	}
	if c.Wire == WireFoca && (c.Name != "" || len(c.Tags) > 0 || len(c.Keys) > 0) {
		return errors.New("selkie: foca's wire has no place for Config.Name, Tags and Keys")
	}
	if c.Wire >= numWires {
		return fmt.Errorf("selkie: Config.Wire: there is no %v", c.Wire)
	}
	for _, seed := range c.Seeds {
		if _, _, err := splitHostPort(seed); err != nil {
			return fmt.Errorf("selkie: Config.Seeds: %w", err)
		}
	}
	return c.Protocol.Validate()
}

// abandon closes a transport that was given and will not be used.
func (c Config) abandon() error {
	if c.Transport == nil {
		return nil
	}
	return c.Transport.Close()
}

// open returns the transport.
func (c *Config) open() (Transport, error) {
	if c.Transport != nil {
		return c.Transport, nil
	}
	return c.Wire.listen(c)
}

// advertised returns where the others reach us.
func (c Config) advertised(ctx context.Context, bound netip.AddrPort) (netip.AddrPort, error) {
	if c.Advertise == "" {
		if bound.Addr().IsUnspecified() {
			return netip.AddrPort{}, fmt.Errorf("selkie: bound to all addresses of the machine (%v): Config.Advertise must name the one that others reach", bound)
		}
		return bound, nil
	}
	found, err := lookup(ctx, withPort(c.Advertise, bound.Port()), bound)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("selkie: Config.Advertise: %w", err)
	}
	return found[0], nil
}
