package swim

import (
	"fmt"
	"testing"
	"time"
)

func TestLoneVerdictsAreForgottenLikeOthers(t *testing.T) {
	cfg := Local()
	cfg.ForgetAfter = 20 * time.Second
	c := newCluster(t, cfg, "a", "b")
	c.meet()
	c.run(5 * time.Second)
	c.crash("b")
	c.run(10 * time.Second)
	c.wantView("a", "b down 0")
	if c.core("a").Stats().Lone != 1 {
		t.Fatal("with one accuser the verdict is not a lone one")
	}
	c.run(20 * time.Second)
	c.wantView("a", "")
}

func TestLoneVerdictThatWasRefutedIsNotForgotten(t *testing.T) {
	cfg := Local()
	cfg.ForgetAfter = 20 * time.Second
	cfg.AnnounceDown.Every = 2 * time.Second
	c := newCluster(t, cfg, "a", "b")
	c.meet()
	c.run(5 * time.Second)
	c.lost = func(from, to string) bool { return true }
	c.run(10 * time.Second)
	c.wantView("a", "b down 0")
	c.lost = nil
	c.run(30 * time.Second)
	c.wantView("a", "b alive 1")
}

func TestTombstonesThatWeAreToldOfLeaveNoEventsBehind(t *testing.T) {
	c := newCluster(t, Local(), "a", "b")
	c.meet()
	c.run(5 * time.Second)
	a := c.node("a")
	for i := range 1000 {
		data, err := names.Append(nil, 1400, &Packet[who]{
			Header: Header[who]{Message: MessageGossip, Src: who{"b", 1}, Dst: who{"a", 1}},
			Updates: []Update[who]{{
				Member:    Member[who]{ID: who{fmt.Sprintf("x%d", i), 1}, State: Left},
				Remaining: uint32(3_600_000 - i),
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		c.receive(a, data)
	}
	if waiting := a.out.Len(); waiting > 100 {
		t.Errorf("%d events wait", waiting)
	}
}
