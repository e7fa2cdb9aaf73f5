package sim

import "testing"

func TestGossipSpreadsAsInTheModel(t *testing.T) {
	g := gossiping(false)[0]
	g.rumours = 100
	if wrong(t, gossipLayer.judged(g.observe(2, busy))) > 0 {
		t.Error("gossip is not as fast as in the model")
	}
}

// Where members rest first, it is not.
func TestGossipThatRestsIsFoundToBeSlower(t *testing.T) {
	g := gossiping(false)[0]
	g.rumours = 50
	o := g.observe(1, rested)
	for _, loss := range gossipLosses {
		for _, what := range []string{"t99", "last", "told", "missed"} {
			o[gossipName(what, g.nodes, loss, busy)] = o[gossipName(what, g.nodes, loss, rested)]
		}
	}
	if wrong(t, gossipLayer.judged(o)) < 3 {
		t.Error("nobody minds")
	}
}
