package selkie

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// Join asks members, given as "host:port", to let us in. All are asked at
// once, names with several addresses at each of them, and Join returns when
// the first has answered; the others are asked on. A node that has left comes
// back under a new generation.
//
// If nobody answers before the context ends, or nobody can be asked, the error
// wraps [ErrNoSeed]; those who could be asked are asked on all the same.
func (n *Node) Join(ctx context.Context, seeds ...string) error {
	if len(seeds) == 0 {
		return fmt.Errorf("%w: none was named", ErrNoSeed)
	}
	if err := n.try(n.comeBack); err != nil {
		return err
	}
	w := n.events.subscribe()
	defer n.events.unsubscribe(w)
	alone := !slices.ContainsFunc(n.events.view().list(), isPeer)

	asked, err := n.askAll(seeds)
	if err != nil {
		return err
	}
	var targets []ID
	failed := ErrNoSeed
	for waiting := len(seeds); ; {
		if n.reached(targets, alone) {
			return nil
		}
		select {
		case a := <-asked:
			waiting--
			targets = append(targets, a.ids...)
			if a.err != nil {
				failed = fmt.Errorf("%w; %w", failed, a.err)
			}
			if waiting == 0 && len(targets) == 0 {
				return failed
			}
		case <-w.wake:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", failed, context.Cause(ctx))
		case <-n.stopped:
			return ErrClosed
		}
	}
}

func isPeer(m Member) bool { return m.State.Active() && !m.Self }

// reached reports whether a target is active. For one that was alone anybody
// will do: an address may lead to a member that calls itself otherwise.
func (n *Node) reached(targets []ID, alone bool) bool {
	v := n.events.view()
	if alone {
		for m := range v.all() {
			if isPeer(m) {
				return true
			}
		}
		return false
	}
	return slices.ContainsFunc(targets, func(id ID) bool {
		m, ok := v.find(id.Addr())
		return ok && isPeer(m)
	})
}

// comeBack takes a new identity after a goodbye. It runs in run.
func (n *Node) comeBack() error {
	if !n.defunct {
		return nil
	}
	self := n.core.Self().ID
	next, err := swim.NewID(self.Addr().AddrPort(), max(n.wire.generation(time.Now()), self.Generation()+1))
	if err != nil {
		return err
	}
	if err := n.core.ChangeIdentity(next, n.out); err != nil {
		return fmt.Errorf("selkie: %w", err)
	}
	n.defunct = false
	return nil
}

// An asked is what came of asking one seed.
type asked struct {
	ids []ID
	err error
}

// askAll looks up all seeds at once and asks each as soon as it is known
// where it is. What takes long goes on until Close.
func (n *Node) askAll(seeds []string) (<-chan asked, error) {
	done := make(chan asked, len(seeds))
	// Only run may start a goroutine: as long as it lives, Close can not have
	// seen the last of them.
	err := n.do(func() {
		for _, seed := range seeds {
			n.all.Go(func() { done <- n.ask(seed) })
		}
	})
	return done, err
}

// ask looks up a seed and announces us to it.
func (n *Node) ask(seed string) asked {
	ids, err := n.identities(n.life, seed)
	if err != nil {
		return asked{err: err}
	}
	if len(ids) == 0 {
		return asked{err: fmt.Errorf("%s: is ourselves", seed)}
	}
	if err := n.try(func() error { return n.announceTo(ids) }); err != nil {
		return asked{err: fmt.Errorf("%s: %w", seed, err)}
	}
	return asked{ids: ids}
}

// announceTo asks members to let us in. It runs in run.
func (n *Node) announceTo(ids []ID) error {
	var failed error
	for _, id := range ids {
		failed = errors.Join(failed, n.core.Announce(id, n.out))
	}
	return failed
}

// Who joins reads a list of members, and hears by gossip of those who join
// meanwhile, less a few: they would be found by and by, as probes compare what
// members know. When many join together that takes seconds, so we ask for it
// ourselves a few times, ever later.
const (
	maxMeetings = 3
	meetFirst   = 400 * time.Millisecond
)

// meet compares what we know with somebody who has been here for longer, if it is
// time. It runs in run.
func (n *Node) meet() {
	if n.meetings == 0 || n.clock() < n.meetAt {
		return
	}
	n.meetings--
	n.meetAt = n.clock().Add(meetFirst << (maxMeetings - n.meetings))
	if m, ok := n.events.view().elder(); ok && n.wire != WireFoca {
		n.note(n.core.Sync(m.ID, n.out))
	}
}

// Leave says goodbye and returns when the others have heard it, or had time
// to, which [swim.Config.LeaveTimeout] bounds. The node takes no part from then on,
// until it is closed or joins again. If the context ends first, the goodbye
// goes on. Leaving again does nothing.
func (n *Node) Leave(ctx context.Context) error {
	said := make(chan struct{})
	err := n.try(func() error {
		if n.defunct {
			close(said)
			return nil
		}
		err := n.core.Leave(n.out)
		if err != nil && !errors.Is(err, swim.ErrLeft) {
			return fmt.Errorf("selkie: %w", err)
		}
		n.goodbyes = append(n.goodbyes, said)
		return nil
	})
	if err != nil {
		return err
	}
	select {
	case <-said:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("selkie: leaving goes on: %w", context.Cause(ctx))
	case <-n.stopped:
		return ErrClosed
	}
}
