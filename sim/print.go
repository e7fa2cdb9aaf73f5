package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// legend explains the lines of [TextTrace].
const legend = `# One line for each event: when, in which step, caused by which step, a column
# for each node, and what happened. The letters and signs of the columns:
#   . runs        _ does not run     z is paused
#   + started     x ended            | stops          ^ goes on
#   > sent        / was lost         < received       @ timer event
#   ! told owner  - dropped          ~ record changed = called by its owner
#   * a fault begins or ends, on all  # broke a promise
# A packet is lost at the latest when it arrives, so one that was sent may be
# lost in a later step; its cause is the step in which it was sent.
`

// signs are what TextTrace puts into the column of a node.
const signs = "+x|^>/<@!-~*#="

// maxColumns is the largest cluster in which every node has a column.
const maxColumns = 64

// TextTrace returns a function for [World.Trace] that writes one line for each
// event of the filter. The first nodes, 64 at most, have a column each, in which
// one sees who runs, who is paused, and who acts. It writes a legend at once.
//
// What is written is lost if w fails: hand it a [bufio.Writer], which remembers.
func TextTrace(w io.Writer, nodes int, f Filter) func(Event) {
	io.WriteString(w, legend)
	columns := make([]byte, min(nodes, maxColumns))
	for i := range columns {
		columns[i] = '_'
	}
	var p swim.Packet[ID]
	return func(e Event) {
		rest := '.'
		switch e.Kind {
		case EventCrash:
			rest = '_'
		case EventPause:
			rest = 'z'
		}
		if e.Node < uint32(len(columns)) && (e.Kind < EventSend) {
			columns[e.Node] = byte(rest)
		}
		if !f.Has(&e) {
			return
		}
		fmt.Fprintf(w, "%11.6fs %7d %7d %s  %s\n", time.Duration(e.At).Seconds(), e.Step, e.Cause, strip(columns, &e), line(&e, &p))
	}
}

// strip marks an event in the columns.
func strip(columns []byte, e *Event) string {
	b := append([]byte(nil), columns...)
	sign := byte('?')
	if int(e.Kind) < len(signs) {
		sign = signs[e.Kind]
	}
	switch {
	case e.Kind == EventFault:
		for i := range b {
			b[i] = sign
		}
	case e.Node < uint32(len(b)):
		b[e.Node] = sign
	}
	return string(b)
}

// line says who did what, in the words of the transcripts.
func line(e *Event, p *swim.Packet[ID]) string {
	if e.Kind == EventFault {
		return "fault " + quoted(e.By) + e.Text
	}
	if !e.Kind.packet() {
		return fmt.Sprintf("%d  %s", e.Node, deed(e))
	}
	from, to := e.ends()
	switch e.Kind {
	case EventLost:
		return fmt.Sprintf("%d -x %d  %s  (lost: %s)", from, to, message(e, p), whyLost(e))
	case EventReceive:
		return fmt.Sprintf("%d => %d  %s", from, to, message(e, p))
	}
	return fmt.Sprintf("%d -> %d  %s", from, to, message(e, p))
}

// ends returns the numbers of sender and receiver.
func (e *Event) ends() (from, to uint32) {
	if e.Kind == EventReceive {
		return e.Peer, e.Node
	}
	return e.Node, e.Peer
}

// message says what is in a packet, and for which lives it is if they are not
// the first.
func message(e *Event, p *swim.Packet[ID]) string {
	if e.Text == textChallenge {
		return textChallenge
	}
	if read(e.Data, p) != nil {
		return fmt.Sprintf("no packet (%d bytes)", len(e.Data))
	}
	text := p.String()
	from, to := e.ends()
	if h := p.Header; h.Src != (ID{from, 1}) || h.Dst != (ID{to, 1}) && h.Dst != (ID{Node: to}) {
		text += fmt.Sprintf("  (%v to %v)", h.Src, h.Dst)
	}
	return text
}

func whyLost(e *Event) string {
	if e.By == "" {
		return e.Text
	}
	return e.Text + " by " + strings.TrimSpace(quoted(e.By))
}

func quoted(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf("%q ", name)
}

// deed says what happened at one node, other than packets.
func deed(e *Event) string {
	switch e.Kind {
	case EventStart:
		return "starts as " + e.Text
	case EventCrash:
		return "ends"
	case EventPause:
		return "stops"
	case EventResume:
		return "goes on"
	case EventTimer:
		return "@ " + e.Timer.String()
	case EventNotify:
		return "! " + e.Note.String()
	case EventDrop:
		return ". dropped: " + strings.TrimPrefix(e.Text, "swim: ")
	case EventChange:
		return "~ " + e.Change.String()
	case EventOwner:
		if e.Text != "" {
			return e.Text
		}
		return "is called by its owner"
	}
	return strings.TrimSpace(e.Kind.String() + " " + e.Text)
}

// jsonEvent is an event as JSONTrace writes it.
type jsonEvent struct {
	T       int64   `json:"t"`
	Time    string  `json:"time"`
	Step    uint64  `json:"step"`
	Cause   uint64  `json:"cause"`
	Node    *uint32 `json:"node,omitempty"`
	Kind    string  `json:"kind"`
	Peer    *uint32 `json:"peer,omitempty"`
	Packet  string  `json:"packet,omitempty"`
	Bytes   int     `json:"bytes,omitempty"`
	Message string  `json:"message,omitempty"`
	About   *uint32 `json:"about,omitempty"`
	Before  string  `json:"before,omitempty"`
	After   string  `json:"after,omitempty"`
	By      string  `json:"by,omitempty"`
	Text    string  `json:"text"`
}

// JSONTrace returns a function for [World.Trace] that writes each event of the
// filter as one JSON object on a line of its own. Every object has t (in
// nanoseconds), time, step, cause, kind and text, which is the line of
// [TextTrace]; where they mean something, node, peer, about, packet (a hash of
// its bytes), bytes, message, before and after (of a record), and by.
//
// What is written is lost if w fails: hand it a [bufio.Writer], which remembers.
func JSONTrace(w io.Writer, f Filter) func(Event) {
	var p swim.Packet[ID]
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	return func(e Event) {
		if f.Has(&e) {
			out.Encode(jsonOf(&e, &p))
		}
	}
}

func jsonOf(e *Event, p *swim.Packet[ID]) jsonEvent {
	j := jsonEvent{T: int64(e.At), Time: e.At.String(), Step: e.Step, Cause: e.Cause, Kind: e.Kind.String(), By: e.By, Text: line(e, p)}
	if e.Kind != EventFault {
		j.Node = &e.Node
	}
	switch {
	case e.Kind.packet():
		j.Peer, j.Bytes = &e.Peer, len(e.Data)
		j.Packet = fmt.Sprintf("%016x", digest(e.Data))
		j.Message = message(e, p)
	case e.Kind == EventNotify:
		j.About = &e.Note.Member.ID.Node
	case e.Kind == EventChange:
		about := e.Change.About()
		j.About = &about
		if e.Change.Knew {
			j.Before = version(e.Change.Before, e.Change.LoneBefore)
		}
		if e.Change.Knows {
			j.After = version(e.Change.After, e.Change.LoneNow)
		}
	}
	return j
}
