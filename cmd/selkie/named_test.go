package main

import (
	"strings"
	"testing"
)

func TestMembersAreNamedByNameOrAddress(t *testing.T) {
	members := []memberInfo{
		{Name: "web", Addr: "10.0.0.1:1", State: "alive"},
		{Name: "web", Addr: "10.0.0.2:1", State: "down"},
		{Name: "db", Addr: "10.0.0.3:1", State: "alive"},
		{Name: "db", Addr: "10.0.0.4:1", State: "suspect"},
		{Name: "old", Addr: "10.0.0.5:1", State: "left"},
		{Name: "[::1]:7", Addr: "[::1]:7", State: "alive"},
	}
	for _, c := range []struct{ name, want string }{
		{"web", "10.0.0.1:1"},
		{"10.0.0.2:1", "10.0.0.2:1"},
		{"old", "10.0.0.5:1"},
		{"[0:0::1]:7", "[::1]:7"},
		{"db", "2 members are called db: name one by its address: 10.0.0.3:1 10.0.0.4:1"},
		{"none", "no member is called none"},
		{"10.0.0.9:1", "no member is called"},
	} {
		m, err := findNamed(members, c.name)
		if err != nil && !strings.Contains(err.Error(), c.want) || err == nil && m.Addr != c.want {
			t.Errorf("%s: got %s, %v; want %s", c.name, m.Addr, err, c.want)
		}
	}
}
