package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/selkie-go/selkie/transport/sealed"
)

// A keyFile is the keys of a node by their numbers; the first one seals. It is
// replaced as a whole, and never changed.
type keyFile []int

func (f keyFile) has(key int) bool { return slices.Contains(f, key) }

// locks is what a world knows of keys.
type locks struct {
	keys    []sealed.Key
	file    keyFile               // that a node gets which is set up now
	retired map[int]time.Duration // of keys that may be refused, how old a packet is then at the least
	forgers map[forger]*sealer
	sealing []byte // the packet that was sealed last
}

// addKey makes another key, and returns its number.
func (w *World) addKey() int {
	l := &w.locks
	var key sealed.Key
	roll(w.seed, "key", uint64(len(l.keys))).fill(key[:])
	l.keys = append(l.keys, key)
	return len(l.keys) - 1
}

// secrets returns the keys of a file.
func (w *World) secrets(file keyFile) []sealed.Key {
	keys := make([]sealed.Key, len(file))
	for i, number := range file {
		keys[i] = w.locks.keys[number]
	}
	return keys
}

// reload lets the process of a node read its key file, at once or when it no
// longer stands still.
func (n *Node) reload() {
	w, s := n.world, n.sealer
	if s.behind = n.stopped > 0; s.behind {
		return
	}
	s.read(w, n.file)
	if w.Trace != nil {
		w.emit(Event{Node: n.number, Kind: EventOwner, Cause: w.step, Text: fmt.Sprintf("reads that it has the keys %v", []int(n.file))})
	}
	w.fold(uint64(n.number), uint64(n.file[0]))
}

// read puts the keys of a file in use.
func (s *sealer) read(w *World, file keyFile) {
	if err := s.box.Reload(w.secrets(file)); err != nil {
		panic(err) // the keys follow from the seed
	}
	s.keys = file
}

// places returns all nodes, and the second ones at their addresses.
func (w *World) places() []*Node {
	all := slices.Clone(w.nodes)
	for _, n := range w.nodes {
		if n.twin != nil {
			all = append(all, n.twin)
		}
	}
	return all
}

// A forger is who has the keys of a cluster, and claims an address.
type forger struct {
	cluster int
	addr    uint32
}

// forge seals what somebody who has the keys made up. Who opened a packet in the
// name of an address takes no other name under that session, so there is one for
// each.
func (w *World) forge(as, to *Node, f *flight) {
	src, _, ok := ends(f.data)
	if !ok || src.Node >= uint32(len(w.nodes)) {
		src.Node = as.number
	}
	l := &w.locks
	who := forger{to.Cluster, src.Node}
	s := l.forgers[who]
	if s == nil {
		s = &sealer{cluster: to.Cluster, strange: true, keys: l.file}
		s.box = w.newBox(0, to.Cluster, l.file, roll(w.seed, "forger", uint64(to.Cluster), uint64(src.Node)), nil, nil)
		l.forgers[who] = s
	}
	if !slices.Equal(s.keys, l.file) {
		s.read(w, l.file)
	}
	s.seal(w, 0, to.core.Self().ID, f)
}
