package durable_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/selkie-go/selkie/internal/durable"
)

var contents = []string{"", "x", "hello\n", "\n\n", "selkie state 1\n", string(durable.Seal(nil)), strings.Repeat("\x00\xff", 5000)}

func TestSealIsHeaderContentSum(t *testing.T) {
	// The sum is the one that sha256sum gives for the lines before it.
	const want = "selkie state 1\nhello\n" +
		"sha256 d96302047c08ee5f659f5da7492ef993fd9e4837f00cdb6ce57018480f665e4d\n"
	if got := string(durable.Seal([]byte("hello"))); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestOpenReturnsWhatWasSealed(t *testing.T) {
	for _, content := range contents {
		got, err := durable.Open(durable.Seal([]byte(content)))
		if err != nil || string(got) != content {
			t.Errorf("opened %.40q, %v; sealed %.40q", got, err, content)
		}
	}
}

func refused(t *testing.T, what string, at int, file []byte) {
	t.Helper()
	if got, err := durable.Open(file); got != nil || !errors.Is(err, durable.ErrDamaged) {
		t.Fatalf("%s %d: %q, %v", what, at, got, err)
	}
}

func TestEverySingleFlippedBitIsRefused(t *testing.T) {
	for _, content := range contents[:len(contents)-1] {
		good := durable.Seal([]byte(content))
		for bit := range len(good) * 8 {
			bad := bytes.Clone(good)
			bad[bit/8] ^= 1 << (bit % 8)
			refused(t, "flipped bit", bit, bad)
		}
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	for _, content := range contents {
		good := durable.Seal([]byte(content))
		for n := range good {
			refused(t, "cut to", n, good[:n])
			// The size of a file may get to the disk before what is in it.
			refused(t, "zeros from", n, append(bytes.Clone(good[:n]), make([]byte, len(good)-n)...))
		}
		refused(t, "one more than", len(good), append(bytes.Clone(good), '\n'))
		refused(t, "twice", len(good), append(bytes.Clone(good), good...))
	}
}

// FuzzOpen checks that what is accepted is exactly what Seal makes.
func FuzzOpen(f *testing.F) {
	for _, content := range contents {
		f.Add([]byte(content))
		f.Add(durable.Seal([]byte(content)))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		content, err := durable.Open(file)
		switch {
		case err == nil && !bytes.Equal(durable.Seal(content), file):
			t.Fatalf("%q was accepted as %q, which is sealed otherwise", file, content)
		case err != nil && (content != nil || errors.Is(err, durable.ErrDamaged) == errors.Is(err, durable.ErrVersion)):
			t.Fatalf("%q, %v", content, err)
		}
	})
}
