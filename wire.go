package selkie

import (
	"fmt"
	"time"

	"github.com/selkie-go/selkie/foca"
	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/udp"
)

// A Wire is the language of a cluster. All of its members speak the same.
type Wire uint8

const (
	// WireCompact is our own: [swim.Compact], each packet sealed under
	// [Config.Keys], or without keys in a frame that tells damaged packets and
	// those of other clusters.
	WireCompact Wire = iota
	// WireFoca is that of the Rust library foca with the identity of its
	// example agent, which counts generations in seconds. There is no frame
	// around a packet and no name of the cluster in it. What it can not say, and
	// the rules that foca lives by, are in docs/foca.md; package foca has the
	// same for those who drive a [swim.Core] themselves.
	WireFoca
	numWires
)

var wireNames = [numWires]string{"compact", "foca"}

// String returns the name that the commands have for it.
func (w Wire) String() string {
	if w < numWires {
		return wireNames[w]
	}
	return fmt.Sprintf("Wire(%d)", uint8(w))
}

// codec returns how packets are written.
func (w Wire) codec() swim.Codec[swim.ID] {
	if w == WireFoca {
		return foca.Bincode()
	}
	return swim.Compact()
}

// protocol returns the settings that the others on this wire can live with.
func (w Wire) protocol(cfg swim.Config) swim.Config {
	if w == WireFoca {
		return foca.Protocol(cfg)
	}
	return cfg
}

// generation returns which life one that starts now is.
func (w Wire) generation(now time.Time) uint64 {
	if w == WireFoca {
		return uint64(max(now.Unix(), 1))
	}
	return uint64(max(now.UnixMilli(), 1))
}

// messages returns how broadcasts travel.
func (w Wire) messages(clock func() swim.Instant) messageFormat {
	if w == WireFoca {
		return &opaque{clock: clock}
	}
	return newKeyed()
}

// listen opens the sockets of a node that was given no transport.
func (w Wire) listen(cfg *Config) (Transport, error) {
	if w == WireFoca {
		conn, err := udp.Listen(cfg.Bind)
		if err != nil {
			return nil, fmt.Errorf("selkie: %w", err)
		}
		return conn, nil
	}
	s, err := listenBoth(cfg.Bind)
	if err != nil {
		return nil, fmt.Errorf("selkie: %w", err)
	}
	return s, nil
}
