package sim

import (
	"fmt"

	"github.com/selkie-go/selkie/swim"
)

// A Violation is a promise that did not hold.
type Violation struct {
	Invariant string // its number: "S1", "L3"
	At        swim.Instant
	Step      uint64
	Node      uint32 // who broke it, or at whom it showed
	About     uint32 // of which member, if of one
	Text      string
}

// String returns the violation as one line.
func (v Violation) String() string {
	return fmt.Sprintf("%v node %d: %s: %s", v.At, v.Node, v.Invariant, v.Text)
}

// An oracle sees the whole cluster, and knows what no node can: who really runs,
// and who ever said what. It holds the nodes to the promises that take such
// knowledge; what one core can be held to by itself is its guard's.
type oracle struct {
	w     *World
	marks marks
	// trust is false once packets or memory were damaged, or somebody lied.
	trust bool
}

func newOracle(w *World) *oracle { return &oracle{w: w, trust: true, marks: marks{}} }

// distrust suspends the promises that hold only among honest members.
func (o *oracle) distrust(why string) { o.trust = false }

// broken notes a violation.
func (o *oracle) broken(invariant string, n *Node, about uint32, format string, args ...any) {
	w := o.w
	if w.halted {
		return // an end too early is nobody's fault
	}
	v := Violation{Invariant: invariant, At: w.now, Step: w.step, Node: n.number, About: about, Text: fmt.Sprintf(format, args...)}
	w.Violations = append(w.Violations, v)
	w.halted = w.Halt != nil && w.Halt(v)
	if w.Trace != nil {
		w.emit(Event{Node: n.number, Kind: EventBroken, Text: v.String(), Cause: w.step})
	}
}

// began notes that a process started.
func (o *oracle) began(n *Node) {}

// ended notes that a process ended.
func (o *oracle) ended(n *Node) {}

// wrote is shown every packet that a node encodes.
func (o *oracle) wrote(n *Node, p *swim.Packet[ID]) {}

// read is shown every packet that a node has parsed, before it counts.
func (o *oracle) read(n *Node, p *swim.Packet[ID]) {}

// sent is shown every packet that a node sends.
func (o *oracle) sent(n *Node, to ID, packet []byte) {}

// told is shown what the owner of a node is told.
func (o *oracle) told(n *Node, note swim.Notification[ID]) {}

// stepped is called after every input of a node.
func (o *oracle) stepped(n *Node, err error) {}

// marks counts named states that a run should reach now and then.
type marks map[string]int

func (m marks) hit(name string) { m[name]++ }

// A tap is the codec of a world: it shows the oracle what the nodes write and
// read, so that nobody has to parse a packet a second time.
type tap struct{ w *World }

// Append implements [swim.Codec].
func (t *tap) Append(b []byte, room int, p *swim.Packet[ID]) ([]byte, error) {
	out, err := codec.Append(b, room, p)
	if err == nil && t.w.current != nil {
		t.w.oracle.wrote(t.w.current, p)
		t.w.chronicle.wrote(t.w.current, p)
	}
	return out, err
}

// Parse implements [swim.Codec].
func (t *tap) Parse(data []byte, p *swim.Packet[ID]) error {
	err := codec.Parse(data, p)
	if err == nil && t.w.current != nil {
		t.w.oracle.read(t.w.current, p)
	}
	return err
}

// AppendID implements [swim.Codec].
func (t *tap) AppendID(b []byte, id ID) []byte { return codec.AppendID(b, id) }

// MaxHeader implements [swim.Codec].
func (t *tap) MaxHeader() int { return codec.MaxHeader() }

// MaxUpdate implements [swim.Codec].
func (t *tap) MaxUpdate() int { return codec.MaxUpdate() }
