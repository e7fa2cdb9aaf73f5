package sim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// news is a handler of payloads that say "name=version", and then anything
// after a space. It spreads what is new to it.
type news map[string]uint64

func newNews() swim.BroadcastHandler[ID] { return news{} }

// maxNews bounds the names that a node remembers: damaged packets make some up.
const maxNews = 1024

var errNews = errors.New("sim: not a payload of name=version")

// Receive implements [swim.BroadcastHandler].
func (n news) Receive(item []byte, _ ID) (swim.Key, bool, error) {
	said, _, _ := strings.Cut(string(item), " ")
	name, number, ok := strings.Cut(said, "=")
	version, err := strconv.ParseUint(number, 10, 64)
	last, known := n[name]
	if !ok || err != nil || !known && len(n) >= maxNews {
		return swim.Key{}, false, errNews
	}
	if known && version <= last {
		return swim.Key{}, false, nil
	}
	n[name] = version
	return swim.Key{Name: name, Version: version}, true, nil
}

// Wants implements [swim.BroadcastHandler].
func (n news) Wants(swim.Member[ID]) bool { return true }

func (p part) broadcast(r *Rehearsal) func() {
	told := &r.post(p.n).told
	*told++
	item := fmt.Appendf(nil, "%d.%d=%d ", p.n.number, p.dice.below(4), *told)
	for len(item) < int(min(p.f.Amount, 1<<16)) {
		item = append(item, '.')
	}
	p.n.Do(func(c *Core, rt swim.Runtime[ID]) error {
		_, err := c.AddBroadcast(item, rt)
		return err
	})
	return nil
}

func (p part) metadata(*Rehearsal) func() {
	p.n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.SetMetadata(c.Self().Metadata+1, rt) })
	return nil
}

func (p part) configure(r *Rehearsal) func() {
	if p.f.Config == nil {
		return nil
	}
	set := func(cfg swim.Config) {
		cfg = r.plan.Wire.config(cfg, p.n.number)
		p.n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.Configure(cfg, rt) })
	}
	set(*p.f.Config)
	return func() { set(r.World.profile.Config) }
}

func (p part) join(r *Rehearsal) func() {
	if p.n.core != nil {
		return nil
	}
	if p.f.To != nil {
		p.n.Seeds = p.f.To
	}
	r.World.After(p.dice.duration(0, p.lasts), func() {
		if p.n.core == nil && !r.healed {
			r.start(p.n, Boot{})
		}
	})
	return nil
}

func (p part) leave(r *Rehearsal) func() {
	n, epoch := p.n, p.n.epoch
	n.Do((*Core).Leave)
	var back func()
	if p.f.Amount > 0 {
		r.World.After(time.Duration(p.f.Amount), func() {
			if n.running && n.epoch == epoch && !r.healed {
				back = r.away(n, fresh)
			}
		})
	}
	if p.lasts == 0 {
		return nil
	}
	return func() {
		switch {
		case back != nil:
			back()
		case n.epoch == epoch:
			r.start(n, Boot{})
		}
	}
}

func (p part) rejoin(*Rehearsal) func() {
	n, epoch := p.n, p.n.epoch
	n.Do((*Core).Leave)
	return func() {
		if n.epoch == epoch {
			n.renew(1)
		}
	}
}

// renew lets the process of a node go on under a later identity.
func (n *Node) renew(by uint32) {
	next := ID{n.number, n.newest() + by}
	n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.ChangeIdentity(next, rt) })
}

// misuse calls a random input of a core at a moment when nobody expects it. When
// it is over, who left by that comes back.
func (p part) misuse(r *Rehearsal) func() {
	n, w := p.n, r.World
	n.misuse(p.dice, w.nodes[p.dice.below(len(w.nodes))])
	return func() {
		if n.running && n.core.Self().State != swim.Alive {
			n.renew(1)
		}
	}
}

func (n *Node) misuse(d *dice, other *Node) {
	at := ID{other.number, uint32(d.below(4))}
	if at == (ID{}) {
		at.Life = 1 // the zero value is nobody
	}
	if n.core != nil && n.core.Self().State == swim.Down && d.below(2) == 0 {
		n.Do((*Core).ReuseIdentity) // hardly anybody has a use for it otherwise
		return
	}
	switch d.below(16) {
	case 0:
		n.Do((*Core).Leave)
	case 1:
		n.renew(uint32(d.below(3))) // 0 is the identity that it has
	case 2:
		n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.ChangeIdentity(at, rt) })
	case 3:
		n.Do((*Core).ReuseIdentity)
	case 4:
		n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.Announce(at, rt) })
	case 5:
		n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.SetSeeds([]ID{at, {Node: n.number}, at}, rt) })
	case 6:
		n.Do((*Core).Gossip)
	case 7:
		n.Do((*Core).Broadcast)
	case 8:
		n.Do(func(c *Core, rt swim.Runtime[ID]) error {
			_, err := c.AddBroadcast(random(d, 2000), rt)
			return err
		})
	case 9:
		n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.SetMetadata(uint64(d.below(8)), rt) })
	case 10:
		n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.Configure(invalid(d, c.Config()), rt) })
	case 11:
		n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.HandleData(random(d, 100), rt) })
	case 12:
		event := swim.Timer[ID]{Kind: swim.TimerKind(d.below(9)), Token: uint32(d.below(1000)), ID: at}
		n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.HandleTimer(event, rt) })
	case 13:
		n.applyOf(other, d.below(2) == 0)
	case 14:
		n.Start(Boot{Life: n.newest()}) // the clock did not go on
	default:
		n.Pause()
		n.Resume()
		n.Resume()
	}
}

// applyOf tells a node what another one knows, all of it twice.
func (n *Node) applyOf(other *Node, tell bool) {
	if other.core == nil || other.Cluster != n.Cluster {
		return
	}
	known := remember(other).records
	n.Do(func(c *Core, rt swim.Runtime[ID]) error {
		return c.Apply(slices.Values(append(known, known...)), tell, rt)
	})
}

// invalid returns a configuration that no core takes.
func invalid(d *dice, cfg swim.Config) swim.Config {
	switch d.below(5) {
	case 0:
		cfg.Period = time.Nanosecond
	case 1:
		cfg.RoundTrip = cfg.Period
	case 2:
		cfg.MaxPacket = 64
	case 3:
		cfg.ForgetAfter = cfg.Period / 2
	default:
		cfg.IndirectProbes = 99
	}
	return cfg
}
