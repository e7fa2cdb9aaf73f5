package sim

import (
	"fmt"
	"slices"

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
	// WireSealed is the plain one in packets that are sealed: every process has
	// keys, and opens nothing but what was sealed with them for its address.
	WireSealed Wire = "sealed"
)

// String returns the name of the wire in words.
func (wire Wire) String() string {
	if wire == WirePlain {
		return "plain"
	}
	return string(wire)
}

// UnmarshalText reads a wire by its name.
func (wire *Wire) UnmarshalText(text []byte) error {
	for _, known := range Wires() {
		if string(text) == known.String() || string(text) == string(known) {
			*wire = known
			return nil
		}
	}
	return fmt.Errorf("sim: there is no wire %q", text)
}

// Wires are all of them.
func Wires() []Wire { return []Wire{WirePlain, WireFoca, WireSealed} }

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

// expressed returns what a packet says as far as the wire can express it.
func (wire Wire) expressed(p *swim.Packet[ID]) *swim.Packet[ID] {
	if wire != WireFoca {
		return p
	}
	limits := swim.LimitsOf(focaCodec)
	said := *p
	h := &said.Header
	h.SrcMetadata, h.NackAfter, h.Page = 0, 0, 0
	h.SrcIncarnation, h.Number = min(h.SrcIncarnation, limits.Incarnation), h.Number&limits.Number
	if h.Message == swim.MessageTurnUndead {
		h.About, h.AboutIncarnation = h.Dst, limits.Incarnation
	}
	said.Updates = slices.Clone(p.Updates)
	for i := range said.Updates {
		u := &said.Updates[i]
		u.Metadata, u.By, u.Incarnation = 0, nil, min(u.Incarnation, limits.Incarnation)
		u.State = min(u.State, swim.Down)
	}
	return &said
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
	return []swim.Config{wire.config(cfg, 0)}
}

// config returns what a node is configured to, if the plan says so.
func (wire Wire) config(cfg swim.Config, node uint32) swim.Config {
	switch {
	case wire == WireSealed:
		return sealable(cfg)
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
	cfg.Rules.LazyGossip = true
	cfg.MaxHealth, cfg.StallLimit, cfg.DeafLimit = swim.Off, swim.Off, swim.Off
	return cfg
}
