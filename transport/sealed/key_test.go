package sealed

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// secret is a key whose bytes are easy to find in a text, in whichever way they
// are written.
var secret = Key([]byte("\xde\xad\xbe\xefSecretSecretSecretSecretSecre"))

// traces returns the ways in which a text gives a key away, or most of it.
func traces(text string, k Key) (found []string) {
	inBase64 := base64.StdEncoding.EncodeToString(k[:])
	for what, trace := range map[string]string{
		"itself":             string(k[4:16]),
		"hexadecimal digits": hex.EncodeToString(k[4:16]),
		"base64":             inBase64[:20],
		"the end of base64":  inBase64[24:40],
		"numbers":            strings.Trim(fmt.Sprint(k[4:16]), "[]"),
		"numbers of JSON":    strings.ReplaceAll(strings.Trim(fmt.Sprint(k[4:16]), "[]"), " ", ","),
		"numbers of Go":      strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", k[4:16]), "[]byte{"), "}"),
		"octal numbers":      strings.Trim(fmt.Sprintf("%o", k[4:16]), "[]"),
		"binary numbers":     strings.Trim(fmt.Sprintf("%b", k[4:16]), "[]"),
	} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(trace)) {
			found = append(found, what)
		}
	}
	return found
}

var verbs = []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%o", "%b", "%c", "%U", "%40v", "%T"}

func TestKeyIsNeverPrinted(t *testing.T) {
	p := newPeer(t, alice, 1, keys(secret))
	_, tooMany := ring(make([]Key, MaxKeys+1))
	_, twice := ring([]Key{secret, secret})
	_, badKey := ParseKey(secret.Reveal() + "x")
	_, badShort := ParseKey(secret.Reveal()[:43])
	_, badID := ParseKeyID(secret.Reveal())
	_, badHex := ParseKeyID(hex.EncodeToString(secret[:]))
	derived := p.Box.keys[0]
	for _, what := range []any{
		secret, &secret, []Key{secret}, map[string]Key{"key": secret}, map[Key]bool{secret: true}, struct{ K Key }{secret},
		Config[byte]{Keys: []Key{secret}}, &Config[byte]{Keys: []Key{secret}},
		p.Box, *p.Box, p.Streams(), *p.Streams(), p.Keys(),
		tooMany, twice, badKey, badShort, badID, badHex,
	} {
		for _, verb := range verbs {
			text := fmt.Sprintf(verb, what)
			if found := traces(text, secret); found != nil {
				t.Errorf("%s of a %T gives away a key by %v: %s", verb, what, found, text)
			}
			for _, k := range []sipKey{derived.intro, derived.challenge, derived.greeting, *p.cookies.now} {
				if strings.Contains(text, fmt.Sprint(k.k0)) || strings.Contains(text, fmt.Sprintf("%#x", k.k0)) {
					t.Errorf("%s of a %T gives away what follows from a key: %s", verb, what, text)
				}
			}
		}
	}
}

func TestSearchForKeysFindsThem(t *testing.T) {
	raw := [32]byte(secret)
	for _, verb := range []string{"%v", "%#v", "%s", "%x", "%X", "%d", "%o", "%b"} {
		if text := fmt.Sprintf(verb, raw); traces(text, secret) == nil {
			t.Errorf("no key was found in %s", text)
		}
	}
	inJSON, _ := json.Marshal(raw)
	if traces(string(inJSON), secret) == nil || traces(secret.Reveal(), secret) == nil {
		t.Error("no key was found in JSON, or in what reveals it")
	}
}

func TestKeyIsNotInJSON(t *testing.T) {
	for _, what := range []any{secret, []Key{secret}, map[string]any{"keys": []Key{secret}}, map[Key]int{secret: 1}} {
		text, err := json.Marshal(what)
		if err != nil || traces(string(text), secret) != nil || !strings.Contains(string(text), secret.ID().String()) {
			t.Errorf("%T: %s, %v", what, text, err)
		}
	}
}

func TestKeyIsNamedByItsHash(t *testing.T) {
	// What sha256sum prints for 32 zeros begins so.
	if id := (Key{}).ID(); id.String() != "66687aad" || (Key{}).String() != "key 66687aad" {
		t.Errorf("%v, %v", id, Key{})
	}
	id, err := ParseKeyID(secret.ID().String())
	if err != nil || id != secret.ID() {
		t.Errorf("%v, %v", id, err)
	}
	for _, bad := range []string{"", "66687aa", "66687aad00", "66687aag", "key 66687aad", " 66687aad"} {
		if id, err := ParseKeyID(bad); err == nil {
			t.Errorf("%q is taken for the name %v", bad, id)
		}
	}
}

func TestKeyIsParsedAsItIsRevealed(t *testing.T) {
	for _, k := range []Key{secret, keyA, NewKey()} {
		for _, text := range []string{k.Reveal(), k.Reveal() + "\n", "  " + k.Reveal() + "\r\n"} {
			if got, err := ParseKey(text); err != nil || got != k {
				t.Errorf("%v: %v, %v", k, got, err)
			}
		}
	}
	for _, bad := range []string{"", "x", secret.Reveal()[:42], secret.Reveal() + "AAAA", hex.EncodeToString(secret[:]), strings.Repeat("=", 44)} {
		if _, err := ParseKey(bad); !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if NewKey() == NewKey() {
		t.Error("a key was drawn twice")
	}
}
