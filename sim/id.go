package sim

import (
	"encoding/binary"
	"fmt"

	"github.com/selkie-go/selkie/swim"
)

// An ID is the identity of a node of a [World]: its number, which is its
// address, and which of its lives it is. It takes 8 bytes, so that clusters of
// ten thousand fit into memory.
type ID struct {
	Node uint32
	Life uint32 // the first is 1; 0 names an address without knowing who is there
}

// Addr returns the number of the node.
func (id ID) Addr() uint32 { return id.Node }

// Supersedes reports whether id is a later life than older.
func (id ID) Supersedes(older ID) bool { return id.Life > older.Life }

// Renew returns the next life, until there are no more.
func (id ID) Renew() (ID, bool) {
	if id.Life+1 == 0 {
		return id, false
	}
	return ID{id.Node, id.Life + 1}, true
}

// String returns "3", later lives "3.2", "3.3".
func (id ID) String() string {
	if id.Life == 1 {
		return fmt.Sprint(id.Node)
	}
	return fmt.Sprintf("%d.%d", id.Node, id.Life)
}

// idSize is how many bytes an identity takes in a packet.
const idSize = 8

func appendID(b []byte, id ID) []byte {
	b = binary.BigEndian.AppendUint32(b, id.Node)
	return binary.BigEndian.AppendUint32(b, id.Life)
}

func parseID(data []byte) (id ID, n int, err error) {
	if len(data) < idSize {
		return ID{}, 0, swim.ErrMalformed
	}
	return ID{binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:])}, idSize, nil
}
