package foca

import "github.com/selkie-go/selkie/swim"

// Protocol returns a configuration with the rules that foca lives by, for a
// member of a cluster in which foca is too. Whatever else it says stays.
//
// foca holds a verdict about an identity for final, takes it from anybody, and
// names no accusers: so do we, or the two halves of a cluster would see it
// differently for ever. It knows no nacks, and suspicions that others can not
// confirm would all take the longest time. And it knows no digests, so that what
// gossip misses only feeds repair: news are told as often as without them, if cfg
// says nothing else.
func Protocol(cfg swim.Config) swim.Config {
	if cfg.Transmissions == (swim.Config{}).WithDefaults().Transmissions {
		cfg.Transmissions = swim.Config{Rules: swim.Rules{SilentDigest: true}}.WithDefaults().Transmissions
	}
	cfg.Rules.SilentDigest = true
	cfg.Rules.FinalDown = true
	cfg.Rules.SoleVerdict = true
	cfg.Rules.SilentRelay = true
	cfg.Confirmations = swim.Off
	return cfg
}
