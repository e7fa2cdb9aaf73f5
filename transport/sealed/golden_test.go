package sealed

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"testing"
)

// What follows is the documentation of the package once more, in code that is
// as plain as can be and shares nothing with that of the package.

func plainHMAC(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// plainHKDF is HKDF-SHA-256 (RFC 5869) of at most 32 bytes.
func plainHKDF(key, salt []byte, info string, size int) []byte {
	if salt == nil {
		salt = make([]byte, 32)
	}
	return plainHMAC(plainHMAC(salt, key), []byte(info), []byte{1})[:size]
}

func plainGCM(key []byte, counter uint64, clear, payload []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return gcm.Seal(nil, binary.BigEndian.AppendUint64(make([]byte, 4), counter), payload, clear)
}

func plainSip(key, data []byte) []byte {
	k0, k1 := binary.LittleEndian.Uint64(key), binary.LittleEndian.Uint64(key[8:])
	v := [4]uint64{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573}
	rounds := func(n int) {
		for range n {
			v[0], v[2] = v[0]+v[1], v[2]+v[3]
			v[1], v[3] = bits.RotateLeft64(v[1], 13)^v[0], bits.RotateLeft64(v[3], 16)^v[2]
			v[0], v[2] = bits.RotateLeft64(v[0], 32)+v[3], v[2]+v[1]
			v[1], v[3] = bits.RotateLeft64(v[1], 17)^v[2], bits.RotateLeft64(v[3], 21)^v[0]
			v[2] = bits.RotateLeft64(v[2], 32)
		}
	}
	padded := append(bytes.Clone(data), make([]byte, 8-len(data)%8)...)
	padded[len(padded)-1] = byte(len(data))
	for i := 0; i < len(padded); i += 8 {
		m := binary.LittleEndian.Uint64(padded[i:])
		v[3] ^= m
		rounds(2)
		v[0] ^= m
	}
	v[2] ^= 0xff
	rounds(4)
	return binary.BigEndian.AppendUint64(nil, v[0]^v[1]^v[2]^v[3])
}

func plainName(of []byte) []byte {
	sum := sha256.Sum256(of)
	return sum[:4]
}

// join appends all parts to nothing.
func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// plainPacket seals as the documentation says.
func plainPacket(key []byte, cluster string, session []byte, counter uint64, channel byte, cookie, payload []byte) []byte {
	flags := channel
	if cookie != nil {
		flags += 0x80
	}
	first := []byte{0x30, flags}
	second := join(plainName([]byte(cluster)), plainName(key), session, binary.BigEndian.AppendUint64(nil, counter))
	clear := join(first, second, make([]byte, 8), cookie)
	sealed := plainGCM(plainHKDF(key, session, "selkie 1 datagrams of "+cluster, 32), counter, clear, payload)
	tag := sealed[len(sealed)-16:]
	introduction := plainSip(plainHKDF(key, nil, "selkie 1 introduction", 16), join(second, cookie, tag, first))
	return join(first, second, introduction, cookie, sealed)
}

// plainChallenge is the challenge to a packet, with a cookie.
func plainChallenge(key, packet, cookie []byte) []byte {
	signed := join([]byte{0x31, 0}, packet[2:26], cookie)
	return join(signed, plainSip(plainHKDF(key, nil, "selkie 1 challenge", 16), signed))
}

// The bytes of golden packets: with the key 00…1f, the cluster "blue", the session
// 40…47, and the counter 5 times 2^32 plus 7.
const (
	goldenPacket = "300316477688630dcd29404142434445464700000005000000070f5c8edcafd8220810f0f3c77270c3b21a2d1b8f68a383fd8f39ef"
	goldenCookie = "310016477688630dcd2940414243444546470000000500000007636f6f6b696573219f20b1b16b1f158b"
	goldenAnswer = "308316477688630dcd29404142434445464700000005000000086744e8959da77f38636f6f6b69657321b6a7acc3f9187642b492a47decc64368f4e2cb"
)

// goldenBox returns a box that is about to seal the golden packet.
func goldenBox(t *testing.T) *peer {
	key := Key(countUp(32))
	p := newPeer(t, alice, 1, keys(key))
	p.session, p.first, p.counter = [8]byte([]byte("@ABCDEFG")), 5<<32, 5<<32+7
	p.own = p.derive(p.Box.keys[0], p.session)
	return p
}

func TestPacketIsWhatTheDocumentationSays(t *testing.T) {
	p := goldenBox(t)
	got := p.Seal([]byte("kept"), start, Party[byte]{bob, 1}, 3, []byte("hey"))
	if string(got[:4]) != "kept" || hex.EncodeToString(got[4:]) != goldenPacket {
		t.Errorf("got  %x\nwant %s", got, goldenPacket)
	}
	if want := plainPacket(countUp(32), "blue", []byte("@ABCDEFG"), 5<<32+7, 3, nil, []byte("hey")); !bytes.Equal(got[4:], want) {
		t.Errorf("got  %x\nby hand %x", got[4:], want)
	}
}

func TestChallengeAndAnswerAreWhatTheDocumentationSays(t *testing.T) {
	p := goldenBox(t)
	packet := p.Seal(nil, start, Party[byte]{bob, 1}, 3, []byte("hey"))
	q := newPeer(t, bob, 1, wary, keys(Key(countUp(32))))
	challenge := q.wantChallenge(t, start, packet, alice, FaultUnknown)
	cookie := challenge[26:34]
	if want := plainChallenge(countUp(32), packet, cookie); !bytes.Equal(challenge, want) {
		t.Errorf("got  %x\nby hand %x", challenge, want)
	}
	fixed := plainChallenge(countUp(32), packet, []byte("cookies!"))
	if hex.EncodeToString(fixed) != goldenCookie {
		t.Errorf("got  %x\nwant %s", fixed, goldenCookie)
	}
	answer := p.wantAnswer(t, start, fixed, bob)
	if hex.EncodeToString(answer) != goldenAnswer {
		t.Errorf("got  %x\nwant %s", answer, goldenAnswer)
	}
	if want := plainPacket(countUp(32), "blue", []byte("@ABCDEFG"), 5<<32+8, 3, []byte("cookies!"), []byte("hey")); !bytes.Equal(answer, want) {
		t.Errorf("got  %x\nby hand %x", answer, want)
	}
}

func TestStreamIsWhatTheDocumentationSays(t *testing.T) {
	key := countUp(32)
	s := newPeer(t, alice, 1, keys(Key(key))).Streams()
	g := Greeting(join([]byte{0x32}, []byte("who dialled me??")))
	salt := []byte("that was me, 007")
	reply, r, err := s.Dial(g, func(b []byte) { copy(b, salt) })
	if err != nil {
		t.Fatal(err)
	}
	signed := join([]byte{0x33, 0}, plainName([]byte("blue")), plainName(key), salt)
	want := join(signed, plainSip(plainHKDF(key, nil, "selkie 1 greeting", 16), join(g[1:], signed)))
	if !bytes.Equal(reply[:], want) {
		t.Errorf("got  %x\nby hand %x", reply, want)
	}
	other, err := s.Accept(g, reply)
	if err != nil {
		t.Fatal(err)
	}
	up := plainHKDF(key, join(g[1:], salt), "selkie 1 stream up of blue", 32)
	down := plainHKDF(key, join(g[1:], salt), "selkie 1 stream down of blue", 32)
	for _, test := range []struct {
		got, want []byte
	}{
		{r.Seal(nil, []byte("first"), false), join([]byte{0, 5}, plainGCM(up, 0, []byte{0, 5}, []byte("first")))},
		{r.Seal(nil, nil, true), join([]byte{0x80, 0}, plainGCM(up, 1, []byte{0x80, 0}, nil))},
		{other.Seal(nil, []byte("last"), true), join([]byte{0x80, 4}, plainGCM(down, 0, []byte{0x80, 4}, []byte("last")))},
	} {
		if !bytes.Equal(test.got, test.want) {
			t.Errorf("got  %x\nby hand %x", test.got, test.want)
		}
	}
}
