package selkie

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/selkie-go/selkie/swim"
)

// MaxMetadata is the most bytes that the name and tags of a member may take
// together as they travel: each string as many as it has, and up to 3 more.
const MaxMetadata = 64 << 10

// Name returns the name that the member gave itself, and "" if it has none or
// it is not known yet.
func (m Member) Name() string {
	if m.described == nil {
		return ""
	}
	return m.described.name
}

// Tag returns the value of one tag of the member.
func (m Member) Tag(key string) (value string, ok bool) {
	if m.described == nil {
		return "", false
	}
	i, ok := slices.BinarySearchFunc(m.described.tags, key, func(t tag, key string) int { return strings.Compare(t.key, key) })
	if !ok {
		return "", false
	}
	return m.described.tags[i].value, true
}

// Tags returns the tags of the member, sorted by key.
func (m Member) Tags() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		if m.described == nil {
			return
		}
		for _, t := range m.described.tags {
			if !yield(t.key, t.value) {
				return
			}
		}
	}
}

// Described reports whether the name and tags of the member are known. They
// follow it within a second; after a change the ones before are there until
// the new ones are.
func (m Member) Described() bool { return m.described != nil }

// SetTags replaces our tags, which the other members learn within a second. An
// error wraps [swim.ErrTooBig] if name and tags together are larger than
// [MaxMetadata], and then nothing has changed. With [WireFoca], which can not
// say it, it is errors.ErrUnsupported.
func (n *Node) SetTags(tags map[string]string) error {
	if n.wire == WireFoca {
		return fmt.Errorf("selkie: %w on foca's wire", errors.ErrUnsupported)
	}
	return n.try(func() error {
		next := n.described.edit()
		next.setTags(tags)
		return n.describe(next)
	})
}

// A description is what a member says about itself. It never changes: a new one
// takes its place, with a higher version.
type description struct {
	version uint64
	name    string
	tags    []tag   // sorted by key
	keys    []KeyID // that it accepts; it seals with the first one
	size    int     // as it travels
}

type tag struct{ key, value string }

func (d *description) edit() *description {
	if d == nil {
		return &description{size: len((&description{}).append(nil))}
	}
	next := *d
	return &next
}

func (d *description) setTags(tags map[string]string) {
	d.tags = nil
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		d.tags = append(d.tags, tag{key, tags[key]})
	}
}

// describe makes a description ours, and tells the others. It runs in run, or
// before it.
func (n *Node) describe(next *description) error {
	content := next.append(nil)
	next.size = len(content)
	most := MaxMetadata
	if n.streams == nil {
		most = n.letterRoom() - maxLetterHeader // nobody could fetch more
	}
	if size := len(content) - next.keySize(); size > most {
		return fmt.Errorf("selkie: %w: name and tags of %d bytes, of at most %d", swim.ErrTooBig, size, most)
	}
	first := n.described == nil
	next.version = n.core.Self().Metadata + 1
	if err := n.core.SetMetadata(next.version, n.out); err != nil {
		return fmt.Errorf("selkie: %w", err)
	}
	n.described = next
	if first || len(content) > mostPushed {
		return nil // who joins is asked by those it joins
	}
	item := appendWanted([]byte{descriptionVersion}, n.core.Self().ID, next.version)
	if _, err := n.core.AddBroadcast(append(item, content...), n.out); err != nil {
		n.log.Debug("description not broadcast: others will ask", "error", err)
	}
	return nil
}

// mostPushed is the largest description that is pushed to everybody when it
// changes. Larger ones are asked for.
const mostPushed = 600

// append writes a description, without its version:
//
//	format 1 | name | number of tags | key, value … | number of keys 1 | key ids
//
// with uvarints for numbers and before strings.
func (d *description) append(b []byte) []byte {
	b = appendString(append(b, descriptionFormat), d.name)
	b = binary.AppendUvarint(b, uint64(len(d.tags)))
	for _, t := range d.tags {
		b = appendString(appendString(b, t.key), t.value)
	}
	b = append(b, byte(len(d.keys)))
	for _, id := range d.keys {
		b = append(b, id[:]...)
	}
	return b
}

const descriptionFormat = 1

func (d *description) keySize() int { return 2 + len(d.keys)*len(KeyID{}) }

// maxDescription is the most bytes that append writes.
const maxDescription = MaxMetadata + 2 + 255*4

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// readDescription reads what append wrote, and nothing else.
func readDescription(version uint64, b []byte) (*description, bool) {
	if len(b) == 0 || len(b) > maxDescription || b[0] != descriptionFormat || version == 0 {
		return nil, false
	}
	d := &description{version: version, size: len(b)}
	name, b, ok := cutString(b[1:])
	if !ok {
		return nil, false
	}
	d.name = string(name)
	count, size := binary.Uvarint(b)
	if size <= 0 || count > uint64(len(b)) {
		return nil, false
	}
	b = b[size:]
	for range count {
		var key, value []byte
		if key, b, ok = cutString(b); !ok {
			return nil, false
		}
		if value, b, ok = cutString(b); !ok {
			return nil, false
		}
		if k := len(d.tags); k > 0 && d.tags[k-1].key >= string(key) {
			return nil, false
		}
		d.tags = append(d.tags, tag{string(key), string(value)})
	}
	if len(b) == 0 || len(b) != 1+int(b[0])*len(KeyID{}) {
		return nil, false
	}
	for b = b[1:]; len(b) > 0; b = b[len(KeyID{}):] {
		d.keys = append(d.keys, KeyID(b))
	}
	return d, true
}

// cutString cuts off a string that follows its length.
func cutString(b []byte) (s, rest []byte, ok bool) {
	length, size := binary.Uvarint(b)
	if size <= 0 || length > uint64(len(b)-size) {
		return nil, nil, false
	}
	b = b[size:]
	return b[:length], b[length:], true
}
