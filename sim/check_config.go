package sim

import (
	"errors"

	"github.com/selkie-go/selkie/swim"
)

// checkConfig: a configuration that is refused changes nothing, one that is not
// valid never comes into force (S30), and none changes but by its owner.
func (o *oracle) checkConfig(n *Node, err error) {
	s, cfg := &n.seen, n.core.Config()
	if cfg == s.cfg {
		return
	}
	var refused *swim.ConfigError
	if errors.As(err, &refused) {
		o.broken("S30", n, n.number, "refused a configuration (%v), and changed it", err)
	}
	o.checkValid(n, cfg)
	s.cfg = cfg
	o.finalDown = o.finalDown || cfg.Rules.FinalDown
	o.marks.hit(markConfigured)
}

// checkValid holds a configuration that comes into force to what is valid.
func (o *oracle) checkValid(n *Node, cfg swim.Config) {
	if wrong := cfg.Validate(); wrong != nil || cfg.MaxPacket < o.w.codec.MaxHeader()+o.w.codec.MaxUpdate() {
		o.broken("S30", n, n.number, "took a configuration that is not valid (%v)", wrong)
	}
}
