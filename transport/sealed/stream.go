package sealed

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// A stream begins with a greeting of each side, the one that was dialled first:
//
//	0x32 | 16 random bytes
//	0x33 | 0 | cluster 4 | key id 4 | 16 random bytes | SipHash-2-4
//
// of the random bytes of the first and of what stands before it in the second. The
// key of the hash follows from the shared one as that of introductions does, with
// the info "selkie 1 greeting".
//
// Then both send records, each under a key that follows from all random bytes, as
// salt, and the direction, so that no recording means anything to anybody: the
// info is "selkie 1 stream up of " for the side that dialled, or "stream down of",
// and the name of the cluster.
//
//	final 1 bit, length 15 bits | ciphertext | tag 16
//
// The header is authenticated; the nonce is the number of the record, from 0 on. The last one is marked, so that a
// stream that was cut off is told from one that ended.
const (
	versionDialled = 0x32
	versionDialler = 0x33
	saltSize       = 16

	// DialledSize and DiallerSize are the sizes of the greetings.
	DialledSize = 1 + saltSize
	DiallerSize = 2 + 4 + 4 + saltSize + 8

	// RecordHeader is the size of what stands before the body of a record.
	RecordHeader = 2
	// MaxRecord is the most bytes that one record carries.
	MaxRecord = 16 << 10

	finalRecord = 1 << 15
)

// ErrStream says that a stream is not what somebody with the key sent.
var ErrStream = errors.New("sealed: not a stream of this cluster, or damaged")

// Streams seals streams with the keys that there were when it was made. It never
// changes, and may be used by many at the same time.
type Streams struct {
	name    string
	cluster [4]byte
	keys    []*held
}

func newStreams(cluster string, keys []*held) *Streams {
	return &Streams{name: cluster, cluster: ClusterOf(cluster), keys: keys}
}

// OpenStreams returns streams of a cluster that has no key: they are sealed with
// one that everybody knows, and so are only guarded against accidents.
func OpenStreams(cluster string) *Streams {
	keys, err := ring([]Key{sha256.Sum256([]byte("selkie 1 without a key: " + cluster))})
	if err != nil {
		panic(err) // one key is never refused
	}
	return newStreams(cluster, keys)
}

// A Greeting is what the side that was dialled says first. It is for one stream
// alone: two with the same one and the same reply would use the same nonces.
type Greeting [DialledSize]byte

// Greet returns what to say to somebody who dialled.
func (s *Streams) Greet(random func([]byte)) (g Greeting) {
	g[0] = versionDialled
	random(g[1:])
	return g
}

// Dial returns the reply to the greeting of the side that was dialled, and what
// seals the stream from then on.
func (s *Streams) Dial(g Greeting, random func([]byte)) (reply [DiallerSize]byte, r *Records, err error) {
	if g[0] != versionDialled {
		return reply, nil, ErrStream
	}
	k := s.keys[0]
	b := append(reply[:0], versionDialler, 0)
	b = append(b, s.cluster[:]...)
	b = append(b, k.id[:]...)
	var salt [saltSize]byte
	random(salt[:])
	b = append(b, salt[:]...)
	binary.BigEndian.AppendUint64(b, k.greet(g, b))
	up, down := s.records(k, g, salt)
	return reply, &Records{seal: up, open: down}, nil
}

// Accept checks the reply to a greeting of ours, and returns what seals the
// stream from then on. The error is [ErrStream] or a [Fault].
func (s *Streams) Accept(g Greeting, reply [DiallerSize]byte) (*Records, error) {
	if reply[0] != versionDialler || reply[1] != 0 {
		return nil, FaultVersion
	}
	if [4]byte(reply[offCluster:]) != s.cluster {
		return nil, FaultCluster
	}
	for _, k := range s.keys {
		if k.id != KeyID(reply[offKey:]) {
			continue
		}
		signed := reply[:DiallerSize-8]
		if binary.BigEndian.Uint64(reply[len(signed):]) != k.greet(g, signed) {
			return nil, FaultForged
		}
		up, down := s.records(k, g, [saltSize]byte(reply[10:]))
		return &Records{seal: down, open: up}, nil
	}
	return nil, FaultKey
}

func (k *held) greet(g Greeting, reply []byte) uint64 {
	return k.greeting.sum(g[1:], reply)
}

func (s *Streams) records(k *held, g Greeting, salt [saltSize]byte) (up, down *subkey) {
	both := append(g[1:], salt[:]...)
	return newSubkey(k.key, both, "stream up of "+s.name), newSubkey(k.key, both, "stream down of "+s.name)
}

// Records seals what one side of a stream sends, and opens what the other side
// sent. The two directions may be used at the same time.
type Records struct {
	seal, open *subkey
	out, in    uint64
	ended      bool // the last record of the other side was opened
}

// Seal appends a record to dst. More than [MaxRecord] bytes are a mistake of the
// caller, and panic.
func (r *Records) Seal(dst, payload []byte, final bool) []byte {
	if len(payload) > MaxRecord {
		panic("sealed: a record is too long")
	}
	head := uint16(len(payload))
	if final {
		head |= finalRecord
	}
	start := len(dst)
	dst = binary.BigEndian.AppendUint16(dst, head)
	dst = r.seal.Seal(dst, r.seal.at(r.out), payload, dst[start:])
	r.out++
	return dst
}

// Body returns how many bytes follow the header of a record. It is never more
// than [MaxRecord] and the tag; the error is [ErrStream].
func (r *Records) Body(head [RecordHeader]byte) (int, error) {
	n := int(binary.BigEndian.Uint16(head[:]) &^ finalRecord)
	if n > MaxRecord || r.ended {
		return 0, ErrStream
	}
	return n + tagSize, nil
}

// Open opens the body of a record in place, and reports whether it is the last.
// After an error, which is [ErrStream], the stream is worth nothing more.
func (r *Records) Open(head [RecordHeader]byte, body []byte) (payload []byte, final bool, err error) {
	if want, err := r.Body(head); err != nil || len(body) != want {
		r.ended = true
		return nil, false, ErrStream
	}
	payload, err = r.open.Open(body[:0], r.open.at(r.in), body, head[:])
	if err != nil {
		r.ended = true
		return nil, false, ErrStream
	}
	r.in++
	r.ended = binary.BigEndian.Uint16(head[:])&finalRecord != 0
	return payload, r.ended, nil
}
