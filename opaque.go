package selkie

import (
	"fmt"

	"github.com/selkie-go/selkie/foca"
	"github.com/selkie-go/selkie/swim"
)

// opaque is the [messageFormat] of foca's wire, on which the payloads of other
// programs travel as they are: each is told once, and nothing says who began.
type opaque struct {
	seen  foca.Seen
	clock func() swim.Instant
}

// compose implements [messageFormat].
func (o *opaque) compose(_ ID, key string, payload []byte) ([]byte, error) {
	if key != "" {
		return nil, fmt.Errorf("selkie: %w: foca's wire has no place for the key %q", swim.ErrEncode, key)
	}
	return payload, nil
}

// withdraw implements [messageFormat]: the next try is no repetition.
func (o *opaque) withdraw(item []byte) { o.seen.Forget(item) }

// take implements [messageFormat].
func (o *opaque) take(item []byte, sender ID) (got message, key swim.Key, isNew bool, err error) {
	key, isNew = o.seen.Add(item, o.clock())
	return message{from: sender, payload: item}, key, isNew, nil
}
