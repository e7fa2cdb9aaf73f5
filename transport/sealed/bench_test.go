package sealed

import (
	"bytes"
	"testing"
)

// benchPayload makes a packet of 1,400 bytes.
const benchPayload = 1400 - Usual

func BenchmarkSeal(b *testing.B) {
	from, to := pair(b)
	payload, room := from.says(to.self, string(make([]byte, benchPayload-4))), make([]byte, 0, 1500)
	b.SetBytes(1400)
	b.ReportAllocs()
	for b.Loop() {
		room = from.Seal(room[:0], start, to.self, 0, payload)
	}
}

// BenchmarkOpen includes copying the packet, and making its session forget it.
func BenchmarkOpen(b *testing.B) {
	from, to := pair(b)
	meet(b, start, from, to)
	packet := from.Seal(nil, start, to.self, 0, from.says(to.self, string(make([]byte, benchPayload-4))))
	room, source := make([]byte, len(packet)), []byte{alice}
	session := to.sessions[from.session]
	b.SetBytes(1400)
	b.ReportAllocs()
	for b.Loop() {
		copy(room, packet)
		session.window = window{}
		if _, err := to.Open(start, room, source); err != nil {
			b.Fatal(err)
		}
	}
}

func benchRefuse(b *testing.B, change func(packet []byte), want Fault) {
	from, to := pair(b)
	meet(b, start, from, to)
	packet := from.Seal(nil, start, to.self, 0, from.says(to.self, string(make([]byte, benchPayload-4))))
	change(packet)
	source := []byte{alice}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := to.Open(start, packet, source); err != want {
			b.Fatal(err)
		}
	}
}

// BenchmarkForgedKnown refuses made-up packets of a known session.
func BenchmarkForgedKnown(b *testing.B) {
	benchRefuse(b, func(packet []byte) { packet[offIntro] ^= 1 }, FaultForged)
}

// BenchmarkForgedUnknown refuses made-up packets of a made-up session.
func BenchmarkForgedUnknown(b *testing.B) {
	benchRefuse(b, func(packet []byte) { packet[offSession] ^= 1 }, FaultForged)
}

// BenchmarkChangedKnown refuses packets of a known session whose introduction is
// good, but whose body is not: what somebody with a fresh recording can make us do.
func BenchmarkChangedKnown(b *testing.B) {
	benchRefuse(b, func(packet []byte) { packet[100] ^= 1 }, FaultForged)
}

// BenchmarkReplay refuses packets that came before.
func BenchmarkReplay(b *testing.B) {
	from, to := pair(b)
	meet(b, start, from, to)
	packet := from.say(start, to.self, "hello")
	to.wantHeard(b, start, packet, alice, "hello")
	source := []byte{alice}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := to.Open(start, packet, source); err != FaultReplay {
			b.Fatal(err)
		}
	}
}

// BenchmarkNew opens the first packet of a session, with deriving its key.
func BenchmarkNew(b *testing.B) {
	from, to := pair(b)
	packet := from.Seal(nil, start, to.self, 0, from.says(to.self, string(make([]byte, benchPayload-4))))
	room, source := make([]byte, len(packet)), []byte{alice}
	b.SetBytes(1400)
	b.ReportAllocs()
	for now := start; b.Loop(); now += millisecond {
		copy(room, packet)
		delete(to.sessions, from.session)
		if _, err := to.Open(now, room, source); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRecording challenges a recorded packet of an unknown session.
func BenchmarkRecording(b *testing.B) {
	from, to := pair(b)
	packet := from.Seal(nil, start, to.self, 0, from.says(Party[byte]{bob, 9}, string(make([]byte, benchPayload-4))))
	room, source := make([]byte, len(packet)), []byte{alice}
	b.ReportAllocs()
	for now := start; b.Loop(); now += millisecond {
		copy(room, packet)
		if _, err := to.Open(now, room, source); err != FaultUnknown {
			b.Fatal(err)
		}
	}
}

func BenchmarkSipHash(b *testing.B) {
	k := newSipKey([16]byte(countUp(16)))
	packet := bytes.Repeat([]byte{7}, 1400)
	b.ReportAllocs()
	for b.Loop() {
		packet[30] = byte(k.sum(packet[2:offIntro], packet[header:header], packet[len(packet)-tagSize:], packet[:2]))
	}
}
