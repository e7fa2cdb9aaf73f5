package swim

import (
	"testing"
	"time"
)

// A steady is a core that has talked to its members for a while, and an outbox
// that has grown to what that takes.
type steady struct {
	t       *testing.T
	core    *Core[ID, Addr]
	out     *Outbox[ID]
	now     Instant
	members []Member[ID]
	told    bool // the backlog is full before each round
	packet  Packet[ID]
	buf     []byte
	by      []ID
	nacks   uint64 // that were sent so far
}

func newSteady(t *testing.T, told bool) *steady {
	s := &steady{t: t, told: told, members: population(500, newRand(1))}
	s.out = NewOutbox[ID](func() Instant { return s.now })
	core, err := New(testID4(11<<24|1, 7946, populationNow), LAN(500), Compact(), newRand(2))
	if err != nil {
		t.Fatal(err)
	}
	s.core = core
	if err := core.Apply(updatesOf(s.members), false, s.out); err != nil {
		t.Fatal(err)
	}
	for _, r := range core.roster.each {
		r.flags |= isVerified
	}
	for _, m := range s.members[:MaxAccusers] {
		s.by = append(s.by, m.ID)
	}
	return s
}

// handle composes a packet from the first member and handles it.
func (s *steady) handle(h Header[ID]) {
	h.SrcIncarnation = s.members[0].Incarnation
	s.handleFrom(s.members[0].ID, h)
}

// handleFrom composes a packet from anybody and handles it.
func (s *steady) handleFrom(from ID, h Header[ID]) {
	h.Src = from
	h.Dst = s.core.us.id
	s.packet.Header = h
	var err error
	if s.buf, err = s.core.codec.Append(s.buf[:0], 1400, &s.packet); err != nil {
		s.t.Fatal(err)
	}
	if err := s.core.HandleData(s.buf, s.out); err != nil {
		s.t.Fatal(h.Message, err)
	}
}

// tell makes the next packet say something about some members.
func (s *steady) tell(state State, rise Incarnation, by []ID) {
	s.packet.Updates = s.packet.Updates[:0]
	for i := range s.members[10:60] {
		m := &s.members[10+i]
		m.Incarnation += rise
		m.State = state
		s.packet.Updates = append(s.packet.Updates, Update[ID]{Member: *m, By: by})
	}
}

// refute has a suspect refute.
func (s *steady) refute(id ID) {
	slot, _ := s.core.roster.find(id.addr)
	u := Update[ID]{Member: Member[ID]{ID: id, Incarnation: s.core.roster.at(slot).inc + 1}}
	s.packet.Updates = append(s.packet.Updates[:0], u)
	s.handle(Header[ID]{Message: MessageGossip})
}

func (s *steady) silent() { s.packet.Updates = s.packet.Updates[:0] }

// wait lets time pass, with every event at its time.
func (s *steady) wait(d time.Duration) {
	for end := s.now.Add(d); ; {
		if wake := s.out.Wake(); wake > end.Sub(s.now) {
			s.now = end
			return
		} else {
			s.now = s.now.Add(wake)
		}
		for event := range s.out.Due() {
			if err := s.core.HandleTimer(event, s.out); err != nil {
				s.t.Fatal(event, err)
			}
		}
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	type s = *steady
	for name, round := range map[string]func(s s){
		"ping": func(s s) { s.silent(); s.handle(Header[ID]{Message: MessagePing, Number: 1}) },
		"indirect ping": func(s s) {
			s.silent()
			s.handle(Header[ID]{Message: MessageIndirectPing, Number: 1, About: s.members[1].ID})
		},
		"ack": func(s s) {
			s.silent()
			s.core.probe.running, s.core.probe.target = true, s.members[0].ID
			s.handle(Header[ID]{Message: MessageAck, Number: s.core.probe.number})
		},
		"relay": func(s s) {
			s.silent()
			s.now = s.now.Add(time.Millisecond)
			s.core.probe.number++
			s.handle(Header[ID]{Message: MessagePingReq, Number: s.core.probe.number, About: s.members[1].ID})
			s.members[0], s.members[1] = s.members[1], s.members[0]
			s.handle(Header[ID]{Message: MessageIndirectAck, Number: s.core.probe.number, About: s.members[1].ID})
			s.members[0], s.members[1] = s.members[1], s.members[0]
		},
		"relay that says nack": func(s s) {
			s.silent()
			s.core.probe.number++
			s.handle(Header[ID]{Message: MessagePingReq, Number: s.core.probe.number, NackAfter: 400, About: s.members[1].ID})
			s.out.Reset()
			s.wait(500 * time.Millisecond)
			if got := s.core.stats.Sent[MessageNack]; got != s.nacks+1 {
				s.t.Fatalf("%d nacks", got-s.nacks)
			}
			s.nacks++
			s.core.probe.acked = true
		},
		"nacks, and the probe that fails all the same": func(s s) {
			s.silent()
			if !s.core.probe.running {
				s.wait(s.core.tasks[TimerProbe].due.Sub(s.now))
			}
			s.wait(s.core.tasks[TimerIndirect].due.Sub(s.now))
			if len(s.core.probe.helpers) != 3 {
				s.t.Fatalf("%d helpers", len(s.core.probe.helpers))
			}
			for _, helper := range s.core.probe.helpers {
				s.handleFrom(helper.id, Header[ID]{Message: MessageNack, Number: s.core.probe.number, About: s.core.probe.target})
			}
			target := s.core.probe.target
			s.wait(s.core.tasks[TimerProbe].due.Sub(s.now))
			s.refute(target)
			if s.core.health.doubt != 0 {
				s.t.Fatalf("all said nack, and we doubt ourselves %d times", s.core.health.doubt)
			}
		},
		"gossip known already": func(s s) { s.tell(Alive, 0, nil); s.handle(Header[ID]{Message: MessageGossip}) },
		"gossip fresh":         func(s s) { s.tell(Alive, 1, nil); s.handle(Header[ID]{Message: MessageGossip}) },
		"suspicions and refutations, with their deadlines": func(s s) {
			for n := range s.by {
				s.tell(Suspect, Incarnation(1-min(n, 1)), s.by[n:n+1])
				s.handle(Header[ID]{Message: MessageGossip})
			}
			s.tell(Alive, 1, nil)
			s.handle(Header[ID]{Message: MessageGossip})
			s.wait(20 * time.Second)
		},
		"suspicion that gossip confirms": func(s s) {
			for n := range s.by {
				s.tell(Suspect, Incarnation(1-min(n, 1)), s.by[n:n+1])
				s.handle(Header[ID]{Message: MessageGossip})
				s.wait(10 * time.Millisecond)
			}
			slot, _ := s.core.roster.find(s.members[10].ID.addr)
			if d := s.core.doubts.at(s.core.roster.at(slot).doubt); d.confirmed() != MaxAccusers-1 {
				s.t.Fatalf("%d confirmations", d.confirmed())
			}
			s.tell(Alive, 1, nil)
			s.handle(Header[ID]{Message: MessageGossip})
			s.core.probe.acked = true
		},
		"suspicion by more accusers than a record holds": func(s s) {
			s.tell(Suspect, 1, s.by)
			s.handle(Header[ID]{Message: MessageGossip})
			for i := range s.members[100:110] {
				s.tell(Suspect, 0, nil)
				for j := range s.packet.Updates {
					s.packet.Accusers = append(s.packet.Accusers[:0], s.members[100+i].ID)
					s.packet.Updates[j].By = s.packet.Accusers
				}
				s.handle(Header[ID]{Message: MessageGossip})
			}
			s.tell(Alive, 1, nil)
			s.handle(Header[ID]{Message: MessageGossip})
		},
		"probe round": func(s s) {
			s.wait(600 * time.Millisecond)
			s.core.probe.acked = true
			s.wait(400 * time.Millisecond)
		},
		"probe round that fails": func(s s) {
			s.wait(time.Second)
			for i := range s.members { // refuted at once
				if slot, _ := s.core.roster.find(s.members[i].ID.addr); s.core.roster.at(slot).state == Suspect {
					s.members[i].Incarnation++
					s.packet.Updates = append(s.packet.Updates[:0], Update[ID]{Member: s.members[i]})
					s.handle(Header[ID]{Message: MessageGossip})
				}
			}
		},
		"gossip round": func(s s) {
			if err := s.core.Gossip(s.out); err != nil {
				s.t.Fatal(err)
			}
		},
		"announce and feed": func(s s) {
			s.silent()
			s.now = s.now.Add(time.Second)
			s.packet.PadTo = 1200
			s.handle(Header[ID]{Message: MessageAnnounce})
			s.packet.PadTo = 0
			s.core.enter(s.out)
			s.core.announceTo(s.members[0].ID, anyPage)
			s.core.exit()
			s.tell(Alive, 0, nil)
			s.handle(Header[ID]{Message: MessageFeed})
		},
		"outbox": func(s s) {
			for i := range s.members {
				s.out.SubmitAfter(Timer[ID]{Kind: TimerSuspicion, ID: s.members[i].ID}, time.Duration(i))
			}
			s.wait(time.Second)
			s.core.probe.acked = true
		},
	} {
		for _, told := range []bool{false, true} {
			backlog := "empty"
			if told {
				backlog = "full"
			}
			t.Run(name+", backlog "+backlog, func(t *testing.T) {
				s := newSteady(t, told)
				once := func() {
					for slot := range s.core.roster.each {
						if s.told {
							s.core.backlog.push(s.core.roster, slot, prioAlive)
						}
					}
					round(s)
					s.out.Reset()
				}
				// Buffers and tables grow to what is needed.
				for range 300 {
					once()
				}
				if n := testing.AllocsPerRun(200, once); n != 0 {
					t.Errorf("%v allocations a round", n)
				}
			})
		}
	}
}
