package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"time"

	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/swim"
)

// The types of this file are what an agent says about itself in JSON, on the
// admin socket and in the output of the verbs. Keys are never renamed.

// The name of a member is its address if it has none.
type memberInfo struct {
	Name        string            `json:"name"`
	Addr        string            `json:"addr"`
	State       string            `json:"state"`
	Generation  uint64            `json:"generation"`
	Incarnation uint64            `json:"incarnation"`
	Since       time.Time         `json:"since"`
	Self        bool              `json:"self"`
	Tags        map[string]string `json:"tags"`
}

// at returns the address as one that can be compared.
func (m memberInfo) at() netip.AddrPort {
	at, _ := netip.ParseAddrPort(m.Addr) // zero is an address, too
	return at
}

// called returns the name, and the address if that is something else.
func (m memberInfo) called() string {
	if m.Name == m.Addr {
		return m.Addr
	}
	return fmt.Sprintf("%s (%s)", m.Name, m.Addr)
}

func describe(m selkie.Member) memberInfo {
	at := m.Addr().String()
	return memberInfo{
		Name:        cmp.Or(m.Name(), at),
		Addr:        at,
		State:       m.State.String(),
		Generation:  m.ID.Generation(),
		Incarnation: m.Incarnation,
		Since:       m.Since,
		Self:        m.Self,
		Tags:        tagsOf(m),
	}
}

func tagsOf(m selkie.Member) map[string]string {
	tags := make(map[string]string)
	maps.Insert(tags, m.Tags())
	return tags
}

// describeAll puts ourselves first; the others stay sorted by address.
func describeAll(members func(func(selkie.Member) bool)) []memberInfo {
	all := make([]memberInfo, 1)
	for m := range members {
		if m.Self {
			all[0] = describe(m)
		} else {
			all = append(all, describe(m))
		}
	}
	return all
}

// An event is about the member that it names. In a message or a broadcast that
// is whoever sent it.
type eventInfo struct {
	Time          time.Time         `json:"time"`
	Kind          string            `json:"kind"`
	Name          string            `json:"name"`
	Addr          string            `json:"addr"`
	State         string            `json:"state"`
	Generation    uint64            `json:"generation"`
	Incarnation   uint64            `json:"incarnation"`
	OldGeneration uint64            `json:"old_generation,omitempty"`
	Self          bool              `json:"self"`
	Since         *time.Time        `json:"since,omitempty"`
	Tags          map[string]string `json:"tags,omitempty"`
	Cause         *causeInfo        `json:"cause,omitempty"`
	Members       []memberInfo      `json:"members,omitempty"`

	// Of a message or a broadcast. The text is there if the payload is one.
	From        string  `json:"from,omitempty"`
	Key         string  `json:"key,omitempty"`
	Payload     []byte  `json:"payload,omitempty"`
	PayloadText *string `json:"payload_text,omitempty"`
}

// The kinds of events that are not about members.
const (
	kindMessage   = "message"
	kindBroadcast = "broadcast"
)

// member returns whom the event is about, as they are after it.
func (e eventInfo) member() memberInfo {
	m := memberInfo{Name: e.Name, Addr: e.Addr, State: e.State, Generation: e.Generation, Incarnation: e.Incarnation, Self: e.Self, Tags: e.Tags}
	if e.Since != nil {
		m.Since = *e.Since
	}
	if m.Tags == nil {
		m.Tags = make(map[string]string)
	}
	return m
}

type causeInfo struct {
	State     string     `json:"state"`
	Accuser   string     `json:"accuser,omitempty"`
	Confirmed int        `json:"confirmed"`
	Gossiped  bool       `json:"gossiped"`
	LastHeard *time.Time `json:"last_heard,omitempty"`
	Text      string     `json:"text"`
}

func describeEvent(e selkie.Event) eventInfo {
	m := describe(e.Member)
	info := eventInfo{
		Time:          e.Time,
		Kind:          e.Kind.String(),
		Name:          m.Name,
		Addr:          m.Addr,
		State:         m.State,
		Generation:    m.Generation,
		Incarnation:   m.Incarnation,
		OldGeneration: e.Old.Generation(),
		Self:          m.Self,
		Since:         &m.Since,
		Tags:          m.Tags,
	}
	if e.Kind == selkie.EventSnapshot {
		info.Members = describeAll(func(yield func(selkie.Member) bool) {
			for _, m := range e.Members {
				if !yield(m) {
					return
				}
			}
		})
	}
	if e.Cause != nil {
		info.Cause = describeCause(*e.Cause)
	}
	return info
}

func describeCause(c selkie.Cause) *causeInfo {
	info := &causeInfo{State: c.State.String(), Confirmed: c.Confirmed, Gossiped: c.Gossiped, Text: c.String()}
	if c.Accuser != (selkie.ID{}) {
		info.Accuser = c.Accuser.Addr().String()
	}
	if !c.LastHeard.IsZero() {
		info.LastHeard = &c.LastHeard
	}
	return info
}

type selfInfo struct {
	memberInfo
	Wire          string         `json:"wire"`
	Cluster       string         `json:"cluster"`
	Profile       string         `json:"profile"`
	Sealed        bool           `json:"sealed"`
	Version       string         `json:"version"`
	Uptime        string         `json:"uptime"`
	UptimeSeconds float64        `json:"uptime_seconds"`
	Members       map[string]int `json:"members"`
}

// countStates returns how many members are in each state.
func countStates(members []memberInfo) map[string]int {
	count := map[string]int{"alive": 0, "suspect": 0, "down": 0, "left": 0}
	for _, m := range members {
		count[m.State]++
	}
	return count
}

type statsInfo struct {
	PacketsSent      uint64            `json:"packets_sent"`
	PacketsReceived  uint64            `json:"packets_received"`
	BytesSent        uint64            `json:"bytes_sent"`
	BytesReceived    uint64            `json:"bytes_received"`
	SendErrors       uint64            `json:"send_errors"`
	EventsLost       uint64            `json:"events_lost"`
	BroadcastsLost   uint64            `json:"broadcasts_lost"`
	MessagesLost     uint64            `json:"messages_lost"`
	Streams          uint64            `json:"streams"`
	StreamsRefused   uint64            `json:"streams_refused"`
	StreamProbes     uint64            `json:"stream_probes"`
	StreamAcks       uint64            `json:"stream_acks"`
	Probes           uint64            `json:"probes"`
	ProbesFailed     uint64            `json:"probes_failed"`
	ProbesVoid       uint64            `json:"probes_void"`
	Refutations      uint64            `json:"refutations"`
	Renewals         uint64            `json:"renewals"`
	Conflicts        uint64            `json:"conflicts"`
	LoneVerdicts     uint64            `json:"lone_verdicts"`
	Pauses           uint64            `json:"pauses"`
	Deaf             uint64            `json:"deaf"`
	Health           int               `json:"health"`
	Backlog          int               `json:"backlog"`
	Broadcasts       int               `json:"broadcasts"`
	Relays           int               `json:"relays"`
	Drops            map[string]uint64 `json:"drops"`
	Refused          map[string]uint64 `json:"refused"`
	MessagesSent     map[string]uint64 `json:"messages_sent"`
	MessagesReceived map[string]uint64 `json:"messages_received"`
}

func describeStats(s selkie.Stats) statsInfo {
	p := s.Protocol
	info := statsInfo{
		PacketsSent: s.PacketsSent, PacketsReceived: s.PacketsReceived,
		BytesSent: s.BytesSent, BytesReceived: s.BytesReceived,
		SendErrors: s.SendErrors, EventsLost: s.EventsLost, BroadcastsLost: s.BroadcastsLost,
		MessagesLost: s.MessagesLost, Streams: s.Streams, StreamsRefused: s.StreamsRefused,
		StreamProbes: s.StreamProbes, StreamAcks: s.StreamAcks,
		Probes: p.Probes, ProbesFailed: p.ProbesFailed, ProbesVoid: p.ProbesVoid,
		Refutations: p.Refutations, Renewals: p.Renewals, Conflicts: p.Conflicts,
		LoneVerdicts: p.LoneVerdicts, Pauses: p.Pauses, Deaf: p.Deaf, Health: p.Health,
		Backlog: p.Backlog, Broadcasts: p.Broadcasts, Relays: p.Relays,
		Drops:            make(map[string]uint64),
		MessagesSent:     make(map[string]uint64),
		MessagesReceived: make(map[string]uint64),
		Refused:          make(map[string]uint64),
	}
	maps.Copy(info.Refused, s.Refused)
	for i, n := range p.Drops {
		if n > 0 {
			info.Drops[swim.Drop(i).String()] = n
		}
	}
	for i := range p.Sent {
		if m := swim.Message(i); m.Valid() {
			info.MessagesSent[m.String()] = p.Sent[i]
			info.MessagesReceived[m.String()] = p.Received[i]
		}
	}
	return info
}

type joinRequest struct {
	Seeds          []string `json:"seeds"`
	TimeoutSeconds float64  `json:"timeout_seconds"`
}

type tagsRequest struct {
	Set   map[string]string `json:"set,omitempty"`
	Unset []string          `json:"unset,omitempty"`
}

type sendRequest struct {
	To      string `json:"to"`
	Payload []byte `json:"payload"`
}

type pingRequest struct {
	To             string  `json:"to"`
	TimeoutSeconds float64 `json:"timeout_seconds"`
}

type pingInfo struct {
	RTT        string  `json:"rtt"`
	RTTSeconds float64 `json:"rtt_seconds"`
}

// A reloadInfo says what a reload changed, and what it could not change.
type reloadInfo struct {
	Changed []string `json:"changed"`
	Restart []string `json:"needs_restart"`
}

// A keysInfo says what an agent knows of the keys of the cluster, and in which
// file it has its own.
type keysInfo struct {
	File string    `json:"file"`
	Keys []keyInfo `json:"keys"`
}

type keyInfo struct {
	ID      string      `json:"id"`
	Held    bool        `json:"held"`
	Primary bool        `json:"primary"`
	Retired *time.Time  `json:"retired,omitempty"` // until when it is held
	Heard   *time.Time  `json:"heard,omitempty"`
	Missing []memberRef `json:"missing"`
	Using   []memberRef `json:"using"`
}

// A memberRef names a member.
type memberRef struct {
	Name string `json:"name"`
	Addr string `json:"addr"`
}

type keyRequest struct {
	ID    string `json:"id"`
	Force bool   `json:"force"`
	// GraceSeconds is how long a key that is retired is still accepted. If it
	// is missing, as long as members that are down are remembered.
	GraceSeconds *float64 `json:"grace_seconds,omitempty"`
}

// A failure is the body of every answer that is not a success.
type failure struct {
	Error string `json:"error"`
}
