package selkie

import (
	"errors"
	"iter"
)

// Name returns the name that the member gave itself, and "" if it has none or
// it is not known yet.
func (m Member) Name() string { return "" }

// Tag returns the value of one tag of the member.
func (m Member) Tag(key string) (value string, ok bool) { return "", false }

// Tags returns the tags of the member, sorted by key.
func (m Member) Tags() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {}
}

// Described reports whether the name and tags of the member are known. They
// follow it within a second.
func (m Member) Described() bool { return false }

// SetTags replaces our tags, which the other members learn within a second. An
// error wraps [swim.ErrTooBig] if name and tags together are larger than
// [MaxMetadata], and then nothing has changed. With [WireFoca], which can not
// say it, it is errors.ErrUnsupported.
func (n *Node) SetTags(tags map[string]string) error { return errors.ErrUnsupported }

// MaxMetadata is the most bytes that the name and tags of a member may take
// together as they travel: each string as many as it has, and up to 3 more.
const MaxMetadata = 64 << 10
