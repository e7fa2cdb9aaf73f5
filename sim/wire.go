package sim

import (
	"github.com/selkie-go/selkie/foca"
	"github.com/selkie-go/selkie/swim"
)

// A Wire is the format that all nodes of a world speak.
type Wire string

const (
	// WirePlain is the format of [swim.Plain]; every node runs what the plan says.
	WirePlain Wire = ""
	// WireFoca is that of the Rust library foca, in a mixed cluster: nodes with
	// an odd number keep to what foca itself does, the others to what we do
	// beside it.
	WireFoca Wire = "foca"
)

// String returns the name of the wire in words.
func (wire Wire) String() string {
	if wire == WirePlain {
		return "plain"
	}
	return string(wire)
}

// Wires are all of them.
func Wires() []Wire { return []Wire{WirePlain, WireFoca} }

// The codecs of all worlds.
var (
	codec     = swim.Plain(appendID, parseID, idSize)
	focaCodec = foca.Codec(appendID, parseID, idSize)
)

// codec returns how packets are written.
func (wire Wire) codec() swim.Codec[ID] {
	if wire == WireFoca {
		return focaCodec
	}
	return codec
}

// read reads a packet of any wire, for those who tell what happened.
func read(data []byte, p *swim.Packet[ID]) error {
	if err := codec.Parse(data, p); err != nil {
		return focaCodec.Parse(data, p)
	}
	return nil
}

// configs returns all that nodes are configured to, if the plan says so.
func (wire Wire) configs(cfg swim.Config) []swim.Config {
	if wire == WireFoca {
		return []swim.Config{wire.config(cfg, 0), wire.config(cfg, 1)}
	}
	return []swim.Config{cfg}
}

// config returns what a node is configured to, if the plan says so.
func (wire Wire) config(cfg swim.Config, node uint32) swim.Config {
	switch {
	case wire != WireFoca:
		return cfg
	case node%2 == 0:
		return foca.Protocol(cfg)
	default:
		return rust(cfg)
	}
}

// rust returns a configuration with all switched off that foca does not do: what
// it holds to be true is what it was told last, and only those whose own probe
// failed give a verdict.
func rust(cfg swim.Config) swim.Config {
	cfg = foca.Protocol(cfg)
	cfg.Rules.AccuserDeadline = true
	cfg.Rules.SilentSuspicion = true
	cfg.Rules.SilentPing = true
	cfg.MaxHealth, cfg.StallLimit, cfg.DeafLimit = swim.Off, swim.Off, swim.Off
	return cfg
}
