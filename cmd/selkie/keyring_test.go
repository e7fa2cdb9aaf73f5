package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/swim"
)

// A lockNode is a node that only has keys.
type lockNode struct {
	mu     sync.Mutex
	keys   []selkie.Key
	status map[selkie.KeyID]selkie.KeyStatus // what others do
	broken error
}

func (n *lockNode) ReloadKeys(keys ...selkie.Key) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broken == nil {
		n.keys = keys
	}
	return n.broken
}

func (n *lockNode) Keys() (all []selkie.KeyStatus) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, key := range n.keys {
		s := n.status[key.ID()]
		s.ID, s.Held, s.Primary = key.ID(), true, i == 0
		all = append(all, s)
	}
	return all
}

// ringFor returns a keyring with a file of keys.
func ringFor(t *testing.T, keys ...selkie.Key) (*keyring, *lockNode) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := createKeyFile(path, keys[0]); err != nil {
		t.Fatal(err)
	}
	file, err := readKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys[1:] {
		file = file.add(key)
	}
	if err := file.write(); err != nil {
		t.Fatal(err)
	}
	node := &lockNode{status: make(map[selkie.KeyID]selkie.KeyStatus)}
	k := &keyring{log: slog.New(slog.DiscardHandler), file: file, quiet: 10 * time.Minute}
	node.keys, _ = file.accepted(time.Now())
	k.attach(node)
	t.Cleanup(k.close)
	return k, node
}

func (n *lockNode) want(t *testing.T, what string, keys ...selkie.Key) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if fmt.Sprint(n.keys) != fmt.Sprint(keys) {
		t.Errorf("%s: the node has %v, want %v", what, n.keys, keys)
	}
}

func member(t *testing.T, at string) selkie.Member {
	t.Helper()
	id, err := swim.NewID(netip.MustParseAddrPort(at), 1)
	if err != nil {
		t.Fatal(err)
	}
	return selkie.Member{ID: id}
}

func TestRetiredKeyIsDroppedWhenItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := selkie.NewKey(), selkie.NewKey()
		k, node := ringFor(t, old, next)
		if err := k.use(next.ID(), false); err != nil {
			t.Fatal(err)
		}
		node.want(t, "used", next, old)
		if err := k.retire(old.ID(), false, time.Hour); err != nil {
			t.Fatal(err)
		}
		node.want(t, "retired", next, old)
		if info := k.describe(); info.Keys[1].Retired == nil {
			t.Errorf("nobody says that it is retired: %+v", info)
		}
		time.Sleep(time.Hour - time.Minute)
		synctest.Wait()
		node.want(t, "a minute before", next, old)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		node.want(t, "a minute after", next)
		if _, err := k.reload(); err != nil {
			t.Fatal(err)
		}
		node.want(t, "reloaded", next)
	})
}

func TestKeyIsNotUsedBeforeEverybodyAcceptsIt(t *testing.T) {
	old, next := selkie.NewKey(), selkie.NewKey()
	k, node := ringFor(t, old, next)
	var missing []selkie.Member
	for i := range 12 {
		missing = append(missing, member(t, fmt.Sprintf("10.0.0.%d:1", i+1)))
	}
	node.status[next.ID()] = selkie.KeyStatus{Missing: missing}
	err := k.use(next.ID(), false)
	if !errors.Is(err, errKeyInUse) || !strings.Contains(err.Error(), "12 members do not accept key") || !strings.HasSuffix(err.Error(), "10.0.0.10:1, and 2 more") {
		t.Errorf("got %v", err)
	}
	node.want(t, "refused", old, next)
	if err := k.use(next.ID(), true); err != nil {
		t.Fatal(err)
	}
	node.want(t, "forced", next, old)
}

func TestKeyIsNotRetiredWhileSomebodyUsesIt(t *testing.T) {
	primary, old := selkie.NewKey(), selkie.NewKey()
	k, node := ringFor(t, primary, old)
	for want, s := range map[string]selkie.KeyStatus{
		"1 member seals with key": {Using: []selkie.Member{member(t, "10.0.0.1:1")}},
		"came 1m0s ago":           {Heard: time.Now().Add(-time.Minute)},
	} {
		node.status[old.ID()] = s
		if err := k.retire(old.ID(), false, 0); !errors.Is(err, errKeyInUse) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if err := k.retire(primary.ID(), false, 0); !errors.Is(err, errKeyInUse) {
		t.Errorf("the primary key: got %v", err)
	}
	if err := k.retire(selkie.NewKey().ID(), true, 0); !errors.Is(err, errUnknownKey) {
		t.Errorf("an unknown key: got %v", err)
	}
	node.status[old.ID()] = selkie.KeyStatus{Heard: time.Now().Add(-11 * time.Minute)}
	if err := k.retire(old.ID(), false, 0); err != nil {
		t.Error(err)
	}
	node.want(t, "retired without grace", primary)
	if err := k.retire(primary.ID(), true, 0); err == nil {
		t.Error("the only key was retired")
	}
}

func TestBadKeyFileLeavesTheKeysAlone(t *testing.T) {
	primary, old := selkie.NewKey(), selkie.NewKey()
	k, node := ringFor(t, primary, old)
	good, err := os.ReadFile(k.file.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(k.file.path, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := k.reload(); err == nil {
		t.Error("nonsense was read")
	}
	if err := k.use(old.ID(), true); err == nil {
		t.Error("nonsense was changed")
	}
	node.want(t, "nonsense", primary, old)
	if err := os.WriteFile(k.file.path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if changed, err := k.reload(); changed || err != nil {
		t.Error(changed, err)
	}
	node.broken = errors.New("the node is broken")
	if err := k.use(old.ID(), true); !errors.Is(err, node.broken) {
		t.Errorf("got %v", err)
	}
	if after, err := os.ReadFile(k.file.path); err != nil || string(after) != string(good) {
		t.Errorf("the file does not say any more what is in force: %v", err)
	}
}

func TestKeysRestAsLongAsASuspicionMayLast(t *testing.T) {
	if got := quietTime(swim.LAN(1), 10); got != 10*time.Minute {
		t.Errorf("lan: %v", got)
	}
	slow := swim.Config{Period: time.Minute}
	if got := quietTime(slow, 1000); got <= 2*3*24*time.Minute {
		t.Errorf("slow: %v", got)
	}
}
