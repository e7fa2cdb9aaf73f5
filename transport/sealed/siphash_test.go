package sealed

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"
)

// countUp returns the bytes 0, 1, …, n-1.
func countUp(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func TestSipHashIsThatOfItsAuthors(t *testing.T) {
	k := newSipKey([16]byte(countUp(16)))
	// The paper has this one, of 15 bytes.
	if got := k.sum(countUp(15)); got != 0xa129ca6149be45e5 {
		t.Errorf("%x", got)
	}
	// The authors publish the hashes of 0 to 63 bytes. This is the SHA-256 of them.
	const want = "0226a91002af9775a791b3ec5a48e643f8848d2d5774dea9be3438d5786bb58e"
	var all []byte
	for n := range 64 {
		all = binary.LittleEndian.AppendUint64(all, k.sum(countUp(n)))
	}
	if got := sha256.Sum256(all); hex.EncodeToString(got[:]) != want {
		t.Errorf("the hashes of 0 to 63 bytes have changed: %x", got)
	}
}

func TestSipHashOfPartsIsThatOfTheWhole(t *testing.T) {
	k := newSipKey([16]byte(countUp(16)))
	for _, sizes := range [][]int{{0}, {8, 0}, {0, 0, 3}, {24, 8, 16, 2}, {24, 0, 16, 2}, {8, 18}, {16, 26}} {
		var parts [][]byte
		next := byte(0)
		for _, size := range sizes {
			part := make([]byte, size)
			for i := range part {
				part[i], next = next, next+1
			}
			parts = append(parts, part)
		}
		if got, want := k.sum(parts...), k.sum(slices.Concat(parts...)); got != want {
			t.Errorf("parts of %v bytes: %x, want %x", sizes, got, want)
		}
	}
}
