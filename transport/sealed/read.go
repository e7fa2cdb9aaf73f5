package sealed

import (
	"bytes"
	"encoding/binary"
)

// A Clear is what everybody can read of a datagram.
type Clear struct {
	Challenge bool // it is one, and carries nothing
	Cookie    bool // it has a cookie
	Channel   uint8
	Cluster   [4]byte
	Key       KeyID
	Session   [8]byte
	Counter   uint64
}

// ReadClear reads what is in clear, and checks nothing else. The error is
// [FaultShort] or [FaultVersion].
func ReadClear(packet []byte) (Clear, error) {
	if len(packet) < ChallengeSize {
		return Clear{}, FaultShort
	}
	if packet[0] != version && packet[0] != versionChallenge {
		return Clear{}, FaultVersion
	}
	return Clear{
		Challenge: packet[0] == versionChallenge,
		Cookie:    packet[offFlags]&flagCookie != 0,
		Channel:   packet[offFlags] & maskChannel,
		Cluster:   [4]byte(packet[offCluster:]),
		Key:       KeyID(packet[offKey:]),
		Session:   [8]byte(packet[offSession:]),
		Counter:   binary.BigEndian.Uint64(packet[offCounter:]),
	}, nil
}

// Read opens a datagram for somebody who looks at recordings: it remembers nothing,
// and does not ask for whom the packet was or whether it is new. The error is a
// [Fault], or [ErrKey] for keys that can not be used.
func Read(packet []byte, cluster string, keys []Key) (payload []byte, err error) {
	held, err := ring(keys)
	if err != nil {
		return nil, err
	}
	c, err := ReadClear(packet)
	if err != nil {
		return nil, err
	}
	if c.Challenge {
		return nil, FaultChallenge
	}
	if c.Cluster != ClusterOf(cluster) {
		return nil, FaultCluster
	}
	b := &Box[struct{}]{cfg: Config[struct{}]{Cluster: cluster}, keys: held}
	key := b.find(c.Key)
	if key == nil {
		return nil, FaultKey
	}
	clear := header
	if c.Cookie {
		clear += cookieSize
	}
	if len(packet) < clear+tagSize {
		return nil, FaultShort
	}
	aad := bytes.Clone(packet[:clear])
	binary.BigEndian.PutUint64(aad[offIntro:], 0)
	k := b.derive(key, c.Session)
	if payload, err = k.Open(nil, k.at(c.Counter), packet[clear:], aad); err != nil {
		return nil, FaultForged
	}
	return payload, nil
}
