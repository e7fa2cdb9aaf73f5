package sealed

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// What a datagram looks like; the package documentation draws it.
const (
	version          = 0x30
	versionChallenge = 0x31

	offFlags   = 1
	offCluster = 2
	offKey     = 6
	offSession = 10
	offCounter = 18
	offIntro   = 26
	header     = 34
	tagSize    = 16
	cookieSize = 8

	flagCookie  = 0x80
	maskChannel = 0x0f
)

const (
	// Overhead is how many bytes a sealed datagram is longer at the most.
	Overhead = header + cookieSize + tagSize
	// Usual is how many bytes longer it is without a cookie.
	Usual = header + tagSize
	// ChallengeSize is the size of a challenge.
	ChallengeSize = offIntro + cookieSize + 8
	// MaxChannel is the highest channel.
	MaxChannel = maskChannel
)

// When a session ends and another one begins: long before any bound of
// AES-GCM, and late enough that nobody notices.
const (
	rekeyPackets = 1 << 32
	rekeyAge     = 30 * 24 * time.Hour
)

// A Party is one end of a packet: an address, and which life of it.
type Party[A comparable] struct {
	Addr A
	Life uint64
}

// A Config says what a [Box] does. The functions are called from within Open,
// must not call the box, and must be there.
type Config[A comparable] struct {
	// Cluster is the name of the cluster.
	Cluster string
	// Keys are those in use; the first one seals.
	Keys []Key
	// Random fills its argument with bytes that nobody can guess.
	Random func([]byte)
	// Parties reads from a payload who sent it, and to whom.
	Parties func(channel uint8, payload []byte) (from, to Party[A], ok bool)
	// Ours reports whether an address is ours, and whether a life is one that
	// this process has or had there.
	Ours func(Party[A]) (addr, life bool)
	// Knows reports whether an address is that of a member.
	Knows func(A) bool
	// MaxSessions is how many sessions are remembered. If zero, 65,536.
	MaxSessions int
	// Wary has every session challenged, of members too.
	Wary bool
}

// A Box seals the datagrams of one process and opens those of others. Its
// methods must not be called at the same time. Time is in nanoseconds since an
// origin that the caller chose, and must not go backwards.
type Box[A comparable] struct {
	cfg     Config[A]
	cluster [4]byte
	keys    []*held

	own      *subkey // of our session under the first key
	session  [8]byte
	first    uint64 // counter of our session
	counter  uint64 // of the next packet
	born     int64
	recent   recent[A]
	sessions map[[8]byte]*session[A]
	wary     bool  // a window was given up: who is new has to show that it lives
	sweepAt  int64 // not before then
	subkeys  subkeys
	fresh    bucket // sessions to derive a key for, unasked
	proven   bucket // the same, for those that have a cookie
	cookies  *cookies
	stats    Stats
	clear    [header + cookieSize]byte // memory of unseal
}

// Stats are the counters of a [Box]. They only grow.
type Stats struct {
	Refused    [NumFaults]uint64 // what was not accepted, by [Fault]
	Challenges uint64            // sent
	Again      uint64            // packets that were sealed again for a challenge
	Derived    uint64            // keys that were derived for the sessions of others
	Sessions   int               // remembered now
}

// A session is what is remembered of a process that seals.
type session[A comparable] struct {
	addr   A
	window window
	first  uint64 // the counter that it was let in with
	heard  int64
	slot   int // where its key may be among subkeys
}

// New returns a box. The error wraps [ErrKey].
func New[A comparable](now int64, cfg Config[A]) (*Box[A], error) {
	keys, err := ring(cfg.Keys)
	if err != nil {
		return nil, err
	}
	if cfg.MaxSessions == 0 {
		cfg.MaxSessions = 1 << 16
	}
	b := &Box[A]{cfg: cfg, keys: keys, cluster: ClusterOf(cfg.Cluster), wary: cfg.Wary, sessions: make(map[[8]byte]*session[A])}
	b.cfg.Keys = nil
	b.fresh, b.proven, b.sweepAt = newBucket(now), newBucket(now), now
	b.cookies = newCookies(now, cfg.Random)
	b.rekey(now)
	return b, nil
}

// ClusterOf returns what stands for the name of a cluster in every packet.
func ClusterOf(name string) [4]byte {
	sum := sha256.Sum256([]byte(name))
	return [4]byte(sum[:])
}

// rekey begins a session. The high half of its counters is random: if two
// processes ever draw the same session, they still do not use the same nonces.
// The low half counts. What was sealed in the session before can not be sealed
// again.
func (b *Box[A]) rekey(now int64) {
	var high [4]byte
	b.cfg.Random(b.session[:])
	b.cfg.Random(high[:])
	b.first = uint64(binary.BigEndian.Uint32(high[:])>>2) << 32
	b.counter, b.born, b.recent = b.first, now, recent[A]{}
	b.own = b.derive(b.keys[0], b.session)
}

// derive returns what seals a session under a key.
func (b *Box[A]) derive(key *held, session [8]byte) *subkey {
	return newSubkey(key.key, session[:], b.purpose())
}

func (b *Box[A]) purpose() string { return "datagrams of " + b.cfg.Cluster }

// Reload replaces the keys; the first one seals from now on. The error wraps
// [ErrKey], and then nothing has changed.
func (b *Box[A]) Reload(keys []Key) error {
	next, err := ring(keys)
	if err != nil {
		return err
	}
	for i := range next {
		if old := b.find(next[i].id); old != nil {
			next[i].heard = old.heard
		}
	}
	if planted == keepRetired {
		next = append(next, b.keys...)
	}
	b.keys = next
	b.subkeys = subkeys{}
	if planted != sealAsBefore {
		b.own = b.derive(b.keys[0], b.session)
	}
	return nil
}

// A KeyUse says how one key is in use.
type KeyUse struct {
	ID    KeyID
	Heard int64 // when a packet under it was last accepted; 0 if never
}

// Keys returns the keys in use; the first one seals.
func (b *Box[A]) Keys() []KeyUse {
	uses := make([]KeyUse, len(b.keys))
	for i, k := range b.keys {
		uses[i] = KeyUse{k.id, k.heard}
	}
	return uses
}

// Streams returns what seals streams with the keys of this moment. It stays as
// it is when they change.
func (b *Box[A]) Streams() *Streams { return newStreams(b.cfg.Cluster, b.keys) }

// Stats returns the counters.
func (b *Box[A]) Stats() Stats {
	s := b.stats
	s.Sessions = len(b.sessions)
	return s
}

func (b *Box[A]) find(id KeyID) *held {
	for _, k := range b.keys {
		if k.id == id {
			return k
		}
	}
	return nil
}

// Seal appends a sealed datagram to dst. The payload must not overlap the free
// room behind dst. Channels beyond [MaxChannel] are a mistake of the caller, and
// panic.
func (b *Box[A]) Seal(dst []byte, now int64, to Party[A], channel uint8, payload []byte) []byte {
	if channel > MaxChannel {
		panic("sealed: there is no such channel")
	}
	if b.counter-b.first >= rekeyPackets || now-b.born > int64(rekeyAge) {
		b.rekey(now)
	}
	b.recent.add(to, channel, b.counter, payload)
	return b.seal(dst, channel, nil, payload)
}

func (b *Box[A]) seal(dst []byte, channel uint8, cookie, payload []byte) []byte {
	start := len(dst)
	flags := channel
	if cookie != nil {
		flags |= flagCookie
	}
	dst = append(dst, version, flags)
	dst = append(dst, b.cluster[:]...)
	dst = append(dst, b.keys[0].id[:]...)
	dst = append(dst, b.session[:]...)
	dst = binary.BigEndian.AppendUint64(dst, b.counter)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0) // the introduction, which needs the tag
	dst = append(dst, cookie...)
	// GCM covers all that is in clear, with zeros in the place of the introduction,
	// which covers the tag.
	dst = b.own.Seal(dst, b.own.at(b.counter), payload, dst[start:])
	packet := dst[start:]
	binary.BigEndian.PutUint64(packet[offIntro:], b.keys[0].introduction(packet, len(cookie)))
	b.counter++
	return dst
}

// introduction returns what stands at offIntro of a packet.
func (k *held) introduction(packet []byte, cookie int) uint64 {
	return k.intro.sum(packet[2:offIntro], packet[header:header+cookie], packet[len(packet)-tagSize:], packet[:2])
}

// An Opened is what a datagram held.
type Opened[A comparable] struct {
	// Payload lies in the memory of the datagram, and is nil if there is none:
	// with an error, and for a challenge that was answered.
	Payload []byte
	Channel uint8
	// Reply is to be sent, if it is not nil: to the source of the datagram, or
	// if Again says so to To. It is valid until the box is used next.
	Reply []byte
	Again bool
	To    Party[A]
}

// Open opens a datagram, in place: it changes the bytes of the packet. From is where
// it came from, in bytes that tell one source from another. An error is a
// [Fault]; a reply may come with it.
func (b *Box[A]) Open(now int64, packet, from []byte) (Opened[A], error) {
	o, fault := b.open(now, packet, from)
	if fault < numFaults {
		b.stats.Refused[fault]++
		return o, fault
	}
	return o, nil
}

// accepted is no fault.
const accepted = numFaults

func (b *Box[A]) open(now int64, packet, from []byte) (o Opened[A], fault Fault) {
	if len(packet) < ChallengeSize {
		return o, FaultShort
	}
	if packet[0] != version && packet[0] != versionChallenge {
		return o, FaultVersion
	}
	if [4]byte(packet[offCluster:]) != b.cluster {
		return o, FaultCluster
	}
	key := b.find(KeyID(packet[offKey:]))
	if key == nil {
		return o, FaultKey
	}
	if packet[0] == versionChallenge {
		return b.answer(key, packet)
	}
	cookie := 0
	if packet[offFlags]&flagCookie != 0 {
		cookie = cookieSize
	}
	if packet[offFlags]&^(flagCookie|maskChannel) != 0 {
		return o, FaultVersion
	}
	if len(packet) < header+cookie+tagSize {
		return o, FaultShort
	}
	counter := binary.BigEndian.Uint64(packet[offCounter:])
	id := [8]byte(packet[offSession:])
	s := b.sessions[id]
	if s != nil && s.window.seen(counter) {
		return o, FaultReplay
	}
	if binary.BigEndian.Uint64(packet[offIntro:]) != key.introduction(packet, cookie) || counter >= 1<<63 {
		return o, FaultForged
	}
	if cookie > 0 && !b.cookies.valid(now, packet[header:header+cookie], from, id) {
		return o, FaultChallenge
	}
	if s != nil {
		return b.openKnown(now, packet, from, key, s, counter, cookie)
	}
	return b.openNew(now, packet, from, key, counter, cookie)
}

// openKnown opens a packet of a session that has a window. What was sealed
// before the packet that the session was let in with needs a cookie: it may have
// been recorded before this process began, or been in a window that was given up.
func (b *Box[A]) openKnown(now int64, packet, from []byte, key *held, s *session[A], counter uint64, cookie int) (o Opened[A], fault Fault) {
	id := [8]byte(packet[offSession:])
	k := b.subkeys.get(s.slot, key.id, id)
	if k == nil {
		k = b.deriveOther(key, id)
		s.slot = b.subkeys.put(key.id, id, k)
	}
	o, src, _, fault := b.unseal(packet, k, counter, cookie)
	if fault < numFaults {
		return o, fault
	}
	if src.Addr != s.addr {
		return Opened[A]{}, FaultSource
	}
	if counter < s.first && cookie == 0 && planted != admitOlder {
		return Opened[A]{Reply: b.challenge(now, key, packet, from)}, FaultUnknown
	}
	if planted != forgetCounters {
		s.window.mark(counter)
	}
	s.heard, key.heard = now, now
	return o, accepted
}

// openNew opens a packet of a session that has no window, and gives it one if
// nothing speaks for a recording. The key is not kept before that: otherwise
// recordings would drive out those of the sessions that we need.
func (b *Box[A]) openNew(now int64, packet, from []byte, key *held, counter uint64, cookie int) (o Opened[A], fault Fault) {
	proven := cookie > 0
	limit := &b.fresh
	if proven {
		limit = &b.proven
	}
	if !limit.take(now) {
		if !proven {
			o.Reply = b.challenge(now, key, packet, from)
		}
		return o, FaultLimited
	}
	id := [8]byte(packet[offSession:])
	k := b.deriveOther(key, id)
	o, src, dst, fault := b.unseal(packet, k, counter, cookie)
	if fault < numFaults {
		return o, fault
	}
	// Who names our life has sealed it since this process began, whether we know
	// that member yet or not: the answers to our first packets come from strangers,
	// and must not cost another round trip each. A challenge names only what is in
	// clear, which opening did not change.
	if _, life := b.cfg.Ours(dst); !proven && (!life && planted != admitRecordings || b.wary) {
		return Opened[A]{Reply: b.challenge(now, key, packet, from)}, FaultUnknown
	}
	if len(b.sessions) >= b.cfg.MaxSessions && !b.sweep(now) {
		return Opened[A]{}, FaultFull
	}
	s := &session[A]{addr: src.Addr, first: counter, heard: now, slot: b.subkeys.put(key.id, id, k)}
	s.window.mark(counter)
	b.sessions[id] = s
	key.heard = now
	return o, accepted
}

// deriveOther is derive for the session of somebody else.
func (b *Box[A]) deriveOther(key *held, session [8]byte) *subkey {
	b.stats.Derived++
	return b.derive(key, session)
}

// unseal decrypts a packet in place and reads whose it is. Nothing else changes.
func (b *Box[A]) unseal(packet []byte, k *subkey, counter uint64, cookie int) (o Opened[A], src, dst Party[A], fault Fault) {
	n := copy(b.clear[:], packet[:header+cookie])
	binary.BigEndian.PutUint64(b.clear[offIntro:], 0)
	body := packet[header+cookie:]
	payload, err := k.Open(body[:0], k.at(counter), body, b.clear[:n])
	if err != nil {
		return o, src, dst, FaultForged
	}
	channel := packet[offFlags] & maskChannel
	src, dst, ok := b.cfg.Parties(channel, payload)
	if !ok {
		return o, src, dst, FaultPayload
	}
	if addr, _ := b.cfg.Ours(dst); !addr {
		return o, src, dst, FaultDestination
	}
	if payload == nil {
		payload = body[:0]
	}
	return Opened[A]{Payload: payload, Channel: channel}, src, dst, accepted
}

// When windows are given up: after a silence far longer than a cookie is good
// for, so that nothing that was accepted has a cookie which still is; and not
// for every packet that finds no room, because looking through all takes long.
const (
	sweepSilence = 10 * time.Minute
	sweepEvery   = time.Second
)

// sweep gives up windows of those who were silent for a while, to make room:
// first those of addresses that are no members, then, because a member leaves a
// session behind each time that it begins anew, those of members. From then on
// every new session is challenged, because it may be one of them. It reports
// whether there is room.
func (b *Box[A]) sweep(now int64) bool {
	if now < b.sweepAt {
		return false
	}
	b.sweepAt = now + int64(sweepEvery)
	for _, members := range []bool{false, true} {
		if len(b.sessions) < b.cfg.MaxSessions {
			break
		}
		for id, s := range b.sessions {
			if now-s.heard > int64(sweepSilence) && (members || !b.cfg.Knows(s.addr)) {
				delete(b.sessions, id)
				b.wary = true
			}
		}
	}
	return len(b.sessions) < b.cfg.MaxSessions
}
