package selkie

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/selkie-go/selkie/internal/durable"
	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/sealed"
)

// stateFile is the file in [Config.DataDir].
const stateFile = "state"

// storeEvery is how often the state is kept at the most, if it has changed. The
// first few times it is kept sooner: who has just joined has most to lose.
const storeEvery = 10 * time.Second

// A savedState is what the file holds.
type savedState struct {
	number     uint64         // of those that this process made
	Addr       netip.AddrPort `json:"addr"`
	Generation uint64         `json:"generation"`
	Cluster    string         `json:"cluster"`
	Keys       []string       `json:"keys,omitempty"` // their names; the first one sealed
	Members    []savedMember  `json:"members"`
}

type savedMember struct {
	savedID
	Incarnation uint64     `json:"incarnation,omitempty"`
	State       swim.State `json:"state"`
	Metadata    uint64     `json:"metadata,omitempty"`
	By          []savedID  `json:"by,omitempty"`
	Remaining   uint32     `json:"remaining,omitempty"`
}

type savedID struct {
	Addr       netip.AddrPort `json:"addr"`
	Generation uint64         `json:"generation"`
}

func saveID(id ID) savedID { return savedID{id.Addr().AddrPort(), id.Generation()} }

func (s savedID) id() (ID, error) { return swim.NewID(s.Addr, s.Generation) }

// load returns what was kept, and nil if nothing was. A damaged file is set aside
// and reported. A directory that can not be had is an error, and so are a whole file
// of another version, and keys or a cluster that are not ours.
func (c *Config) load() (*savedState, error) {
	if c.DataDir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("selkie: Config.DataDir: %w", err)
	}
	path := filepath.Join(c.DataDir, stateFile)
	content, aside, err := durable.Load(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, durable.ErrDamaged):
		c.Log.Error("the state of before is damaged, and we begin anew", "file", path, "set aside", aside, "error", err)
		return nil, nil
	case err != nil: // it may be good: of a later version, or not ours to read
		return nil, fmt.Errorf("selkie: Config.DataDir: %w", err)
	}
	s := &savedState{}
	if err := json.Unmarshal(content, s); err != nil {
		return nil, fmt.Errorf("selkie: Config.DataDir: %s is not what a node keeps: %w", path, err)
	}
	if s.Cluster != c.Cluster {
		return nil, fmt.Errorf("selkie: %s is of cluster %q, and Config.Cluster is %q", path, s.Cluster, c.Cluster)
	}
	var ours []string
	for _, k := range c.Keys {
		ours = append(ours, k.ID().String())
	}
	if len(s.Keys) > 0 && !slices.ContainsFunc(s.Keys, func(id string) bool { return slices.Contains(ours, id) }) {
		return nil, fmt.Errorf("selkie: %w: %s was kept with keys %v, and none of Config.Keys %v is among them", sealed.ErrKey, path, s.Keys, ours)
	}
	return s, nil
}

// restore makes a new core know what was kept.
func (n *Node) restore(s *savedState) {
	var active []ID
	err := n.core.Apply(func(yield func(swim.Update[ID]) bool) {
		for _, m := range s.Members {
			id, err := m.id()
			if err != nil || id.Addr() == n.core.Self().ID.Addr() {
				continue
			}
			u := swim.Update[ID]{Member: swim.Member[ID]{ID: id, Incarnation: swim.Incarnation(m.Incarnation), State: m.State, Metadata: m.Metadata}, Remaining: m.Remaining}
			for _, by := range m.By {
				if id, err := by.id(); err == nil {
					u.By = append(u.By, id)
				}
			}
			if m.State.Active() {
				active = append(active, id)
			}
			if !yield(u) {
				return
			}
		}
	}, false, n.out)
	if err != nil {
		n.log.Warn("some of the members of before were not taken over", "error", err)
	}
	// Some are told at once that we are back, before anybody misses us.
	for _, id := range active[:min(len(active), 3)] {
		n.note(n.core.Announce(id, n.out))
	}
	n.log.Info("restored", "members", len(s.Members))
}

// state returns what is to be kept. It runs in run.
func (n *Node) state() *savedState {
	self := n.core.Self().ID
	n.states++
	s := &savedState{number: n.states, Addr: self.Addr().AddrPort(), Generation: self.Generation(), Cluster: n.cluster}
	for _, id := range n.keyIDs {
		s.Keys = append(s.Keys, id.String())
	}
	for u := range n.core.State() {
		if u.ID == self {
			continue
		}
		m := savedMember{savedID: saveID(u.ID), Incarnation: uint64(u.Incarnation), State: u.State, Metadata: u.Metadata, Remaining: u.Remaining}
		for _, by := range u.By {
			m.By = append(m.By, saveID(by))
		}
		s.Members = append(s.Members, m)
	}
	return s
}

// store keeps a state, unless a later one is kept already. It waits for the disk.
func (n *Node) store(s *savedState) {
	n.disk.Lock()
	defer n.disk.Unlock()
	if s.number < n.stored {
		return
	}
	n.stored = s.number
	content, err := json.Marshal(s)
	if err == nil {
		err = durable.Store(filepath.Join(n.dataDir, stateFile), 0o600, content)
	}
	if err != nil {
		n.log.Error("state not kept", "dir", n.dataDir, "error", err)
	}
}

// storeLater keeps the state beside the loop if it is due. It runs in run.
func (n *Node) storeLater() {
	if n.dataDir == "" || !n.changed || n.storing || n.clock() < n.storeAt {
		return
	}
	n.changed, n.storing = false, true
	s := n.state()
	n.storeAt = n.clock().Add(min(time.Duration(n.states)*time.Second, storeEvery))
	n.all.Go(func() {
		n.store(s)
		_ = n.do(func() { n.storing = false }) // the node may be closed by now
	})
}
