package durable

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// A sealed file is
//
//	selkie state 1
//	the content, whatever it is
//	sha256 and the sum of all before this line, in 64 hexadecimal digits
//
// with a newline after each of the three. Every later version has the same
// last line, so that a new file is told from a damaged one.
//
// A seal guards against accidents. It keeps nobody out: everybody can make one.
const header = "selkie state 1\n"

const (
	sumName = "sha256 "
	sumLine = len(sumName) + 2*sha256.Size + 1
)

// ErrDamaged says that a file is not, or no longer, what [Seal] makes.
var ErrDamaged = errors.New("damaged file")

// ErrVersion says that a file is intact, and that another version of this
// program wrote it.
var ErrVersion = errors.New("file of another version")

// Seal returns the file that holds content.
func Seal(content []byte) []byte {
	b := make([]byte, 0, len(header)+len(content)+1+sumLine)
	b = append(b, header...)
	b = append(b, content...)
	b = append(b, '\n')
	return appendSum(b, b)
}

// appendSum appends the last line of a file that begins with body.
func appendSum(b, body []byte) []byte {
	sum := sha256.Sum256(body)
	b = append(b, sumName...)
	b = hex.AppendEncode(b, sum[:])
	return append(b, '\n')
}

// Open returns the content of a sealed file, which points into file. It
// accepts exactly what [Seal] makes; the error is [ErrDamaged] or wraps
// [ErrVersion].
func Open(file []byte) ([]byte, error) {
	at := len(file) - sumLine
	if at < 0 || !bytes.Equal(file[at:], appendSum(nil, file[:at])) {
		return nil, ErrDamaged
	}
	content, begins := bytes.CutPrefix(file[:at], []byte(header))
	content, ends := bytes.CutSuffix(content, []byte("\n"))
	if !begins || !ends {
		first, _, _ := bytes.Cut(file, []byte("\n"))
		return nil, fmt.Errorf("%w: it begins with %.40q", ErrVersion, first)
	}
	return content, nil
}
