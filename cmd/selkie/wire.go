package main

import (
	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/sim"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A wireFlag is the value of --wire: what the members of a cluster speak.
type wireFlag struct{ name string }

// of a command.
func (w *wireFlag) of(c *cobra.Command, usage string) {
	w.on(c.Flags(), usage)
	complete(c, "wire", func() []string { return wireWords })
}

// wireWords are what it takes.
var wireWords = []string{selkie.WireCompact.String(), selkie.WireFoca.String()}

// on a set of flags.
func (w *wireFlag) on(f *pflag.FlagSet, usage string) {
	w.name = wireWords[0]
	f.Var(&choice{&w.name, wireWords}, "wire", usage)
}

func (w *wireFlag) wire() selkie.Wire {
	if w.name == selkie.WireFoca.String() {
		return selkie.WireFoca
	}
	return selkie.WireCompact
}

// A simWireFlag is the value of --wire of the simulator: what the nodes speak.
type simWireFlag struct{ name string }

// anyWire leaves it to the seed.
const anyWire = "any"

// of a command. The first of more words is the default.
func (w *simWireFlag) of(c *cobra.Command, usage string, words ...string) {
	for _, wire := range sim.Wires() {
		words = append(words, wire.String())
	}
	w.name = words[0]
	c.Flags().Var(&choice{&w.name, words}, "wire", usage)
	complete(c, "wire", func() []string { return words })
}

// wire returns what was said, nil if that is any.
func (w *simWireFlag) wire() *sim.Wire {
	for _, wire := range sim.Wires() {
		if wire.String() == w.name {
			return &wire
		}
	}
	return nil
}
