package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/foca"
	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/frame"
	"github.com/selkie-go/selkie/transport/sealed"
	"github.com/spf13/cobra"
)

func (a *app) decodeCommand() *cobra.Command {
	var wire wireFlag
	var keyFile, cluster string
	c := &cobra.Command{
		Use:   "decode HEX|-",
		Short: "Print a packet field by field",
		Long: `Print a packet field by field. It is given as hexadecimal digits, or read from
standard input as it is, or as lines of such digits, which may be followed by
other lines. A packet still in the frame that it travels in over UDP is taken
out of it, if the checksum is right. One that is sealed is opened with the keys
of --key-file, if it is of --cluster.

With --wire foca it is one of the Rust library foca, with the identity of its
example agent, and messages have the names that they have there.`,
		Example: "  selkie decode 2031a5...\n  selkie decode -o json - < packet.bin\n  selkie decode --wire foca 007f000001fb411f...",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := a.readPacket(args[0])
			if err != nil {
				return err
			}
			if c, err := sealed.ReadClear(data); err == nil && wire.wire() != selkie.WireFoca {
				if data, err = unseal(data, c, keyFile, cluster); err != nil {
					return err
				}
			}
			return a.decode(data, wire.wire())
		},
	}
	wire.of(c, "format of the packet")
	c.Flags().StringVar(&keyFile, "key-file", os.Getenv("SELKIE_KEY_FILE"), "keys of a sealed packet (SELKIE_KEY_FILE)")
	c.Flags().StringVar(&cluster, "cluster", "default", "name of the cluster of a sealed packet")
	return a.prints(c, "text", "json")
}

// maxInput is the most that is read of standard input: the digits of the
// largest datagram, generously spaced.
const maxInput = 1 << 20

// readPacket returns the bytes that an argument stands for.
func (a *app) readPacket(arg string) ([]byte, error) {
	if arg != "-" {
		data, ok := parseHex([]byte(arg))
		if !ok {
			return nil, fail(exitUsage, "not an even number of hexadecimal digits")
		}
		return data, nil
	}
	input, err := io.ReadAll(io.LimitReader(a.in, maxInput))
	if err != nil {
		return nil, err
	}
	if data, ok := parseHex(leadingDigits(input)); ok && len(data) > 0 {
		return data, nil
	}
	return input, nil
}

// leadingDigits returns the lines at the beginning that hold digits and
// nothing else. Files with a packet often go on with what it says.
func leadingDigits(text []byte) []byte {
	end := 0
	for line := range bytes.Lines(text) {
		digits := bytes.TrimPrefix(line, []byte("0x"))
		if len(bytes.Trim(digits, "0123456789abcdefABCDEF: \t\r\n")) > 0 {
			break
		}
		end += len(line)
	}
	return text[:end]
}

// parseHex reads hexadecimal digits with white space and colons between them.
func parseHex(text []byte) ([]byte, bool) {
	digits := bytes.Map(func(r rune) rune {
		if r == ':' || unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
	digits = bytes.TrimPrefix(digits, []byte("0x"))
	data := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(data, digits); err != nil {
		return nil, false
	}
	return data, true
}

// A decoded is a packet in JSON.
type decoded struct {
	Bytes    int              `json:"bytes"`
	Frame    *decodedFrame    `json:"frame,omitempty"`
	Message  string           `json:"message"`
	Number   *uint32          `json:"number,omitempty"`
	From     decodedMember    `json:"from"`
	To       decodedID        `json:"to"`
	About    *decodedID       `json:"about,omitempty"`
	AtMost   *uint64          `json:"about_incarnation,omitempty"`
	Nack     float64          `json:"nack_after_seconds,omitempty"`
	Page     uint32           `json:"page,omitempty"`
	Updates  []decodedMember  `json:"updates"`
	Payloads []decodedPayload `json:"payloads"`
	Unknown  int              `json:"unknown_fields"`
}

type decodedFrame struct {
	Cluster string `json:"cluster"`
	Bytes   int    `json:"bytes"`
}

type decodedID struct {
	Addr       string `json:"addr"`
	Generation uint64 `json:"generation"`
}

type decodedMember struct {
	decodedID
	State            string      `json:"state"`
	Incarnation      uint64      `json:"incarnation"`
	Metadata         uint64      `json:"metadata_version,omitempty"`
	By               []decodedID `json:"by,omitempty"`
	RemainingSeconds float64     `json:"remaining_seconds,omitempty"`
}

type decodedPayload struct {
	Bytes int    `json:"bytes"`
	Hex   string `json:"hex"`
}

func (a *app) decode(data []byte, wire selkie.Wire) error {
	decode := decodeCompact
	if wire == selkie.WireFoca {
		decode = decodeFoca
	}
	d, err := decode(data)
	if err != nil {
		return err
	}
	if a.output == "json" {
		return printJSON(a.out, d)
	}
	return d.print(a.out)
}

// decodeCompact reads a packet of ours, in its frame or out of it.
func decodeCompact(data []byte) (*decoded, error) {
	d := &decoded{Bytes: len(data)}
	if len(data) > 0 && data[0]&^frame.MaxChannel == frame.Version {
		inner, err := unframe(data)
		if err != nil {
			return nil, err
		}
		d.Frame = &decodedFrame{Cluster: hex.EncodeToString(data[1:5]), Bytes: frame.Overhead}
		data = inner
	}
	var p swim.Packet[swim.ID]
	if err := swim.Compact().Parse(data, &p); err != nil {
		if foca.Bincode().Parse(data, &p) == nil {
			return nil, errors.New("not a packet of ours, but one of foca: say --wire foca")
		}
		return nil, fmt.Errorf("not a packet: %w", err)
	}
	d.fill(&p)
	return d, nil
}

// decodeFoca reads a packet of foca. A turn-undead names nobody there; a goodbye
// is printed as what it means, not as the update that it is.
func decodeFoca(data []byte) (*decoded, error) {
	var p swim.Packet[swim.ID]
	if err := foca.Bincode().Parse(data, &p); err != nil {
		return nil, fmt.Errorf("not a packet of foca: %w", err)
	}
	d := &decoded{Bytes: len(data)}
	d.fill(&p)
	d.Message = foca.MessageName(p.Header.Message)
	if p.Header.Message == swim.MessageTurnUndead {
		d.About, d.AtMost = nil, nil
	}
	return d, nil
}

// unframe takes a packet out of its frame, whatever the cluster.
func unframe(data []byte) ([]byte, error) {
	if len(data) < frame.Overhead {
		return nil, fmt.Errorf("not a packet: a frame of %d bytes is cut short", len(data))
	}
	inner, channel, err := frame.Open(data, frame.Cluster(data[1:5]))
	if err != nil {
		return nil, fmt.Errorf("not a packet: %w", err)
	}
	return inner, onChannel(channel)
}

// onChannel says what is not a packet of the protocol.
func onChannel(channel uint8) error {
	if channel != 0 {
		return fmt.Errorf("not a packet of the protocol, but a letter between nodes (channel %d)", channel)
	}
	return nil
}

// unseal opens a sealed packet, or says what everybody can see of it.
func unseal(data []byte, c sealed.Clear, keyFile, cluster string) ([]byte, error) {
	what := fmt.Sprintf("cluster %x, key %v, session %x, number %d", c.Cluster, c.Key, c.Session, c.Counter)
	if c.Challenge {
		return nil, fmt.Errorf("a challenge to a sealed packet: %s", what)
	}
	if keyFile == "" {
		return nil, fail(exitUsage, "a sealed packet: %s: give the key with --key-file to see more", what)
	}
	f, err := readKeyFile(keyFile)
	if err != nil {
		return nil, err
	}
	keys, _ := f.accepted(time.Time{})
	inner, err := sealed.Read(data, cluster, keys)
	if err != nil {
		return nil, fmt.Errorf("a sealed packet: %s: %w", what, err)
	}
	return inner, onChannel(c.Channel)
}

func (d *decoded) fill(p *swim.Packet[swim.ID]) {
	h := p.Header
	d.Message, d.To, d.Unknown = h.Message.String(), decodeID(h.Dst), p.Unknown
	d.From = decodeMember(swim.Member[swim.ID]{ID: h.Src, Incarnation: h.SrcIncarnation, State: h.SrcState, Metadata: h.SrcMetadata})
	if h.Message.HasNumber() {
		d.Number = &h.Number
	}
	if h.Message.HasAbout() {
		about := decodeID(h.About)
		d.About = &about
	}
	if h.Message == swim.MessageTurnUndead {
		incarnation := uint64(h.AboutIncarnation)
		d.AtMost = &incarnation
	}
	d.Nack = float64(h.NackAfter) / 1000
	d.Page = h.Page
	d.Updates, d.Payloads = []decodedMember{}, []decodedPayload{}
	for _, u := range p.Updates {
		m := decodeMember(u.Member)
		for _, by := range u.By {
			m.By = append(m.By, decodeID(by))
		}
		m.RemainingSeconds = float64(u.Remaining) / 1000
		d.Updates = append(d.Updates, m)
	}
	for _, payload := range p.Payloads {
		d.Payloads = append(d.Payloads, decodedPayload{len(payload), hex.EncodeToString(payload)})
	}
}

func decodeID(id swim.ID) decodedID { return decodedID{id.Addr().String(), id.Generation()} }

func decodeMember(m swim.Member[swim.ID]) decodedMember {
	return decodedMember{decodedID: decodeID(m.ID), State: m.State.String(), Incarnation: uint64(m.Incarnation), Metadata: m.Metadata}
}

func (id decodedID) String() string {
	return fmt.Sprintf("%s generation %d", id.Addr, id.Generation)
}

func (m decodedMember) String() string {
	s := fmt.Sprintf("%v %s", m.decodedID, m.State)
	if m.State != "left" {
		s += fmt.Sprintf(" %d", m.Incarnation)
	}
	if m.Metadata > 0 {
		s += fmt.Sprintf(", metadata %d", m.Metadata)
	}
	if len(m.By) > 0 {
		var by []string
		for _, id := range m.By {
			by = append(by, id.Addr)
		}
		s += ", accused by " + strings.Join(by, " ")
	}
	if m.RemainingSeconds > 0 {
		s += fmt.Sprintf(", remembered for %gs", m.RemainingSeconds)
	}
	return s
}

func (d *decoded) print(w io.Writer) error {
	rows := [][]string{{"bytes", fmt.Sprint(d.Bytes)}}
	add := func(name string, value any) { rows = append(rows, []string{name, fmt.Sprint(value)}) }
	if d.Frame != nil {
		add("frame", fmt.Sprintf("cluster %s, checksum ok, %d bytes", d.Frame.Cluster, d.Frame.Bytes))
	}
	add("message", d.Message)
	if d.Number != nil {
		add("number", *d.Number)
	}
	add("from", d.From)
	add("to", d.To)
	if d.About != nil {
		add("about", *d.About)
	}
	if d.AtMost != nil {
		add("incarnation", *d.AtMost)
	}
	if d.Nack > 0 {
		add("nack", fmt.Sprintf("wanted after %gs", d.Nack))
	}
	if d.Page > 0 {
		add("page", d.Page)
	}
	if d.Unknown > 0 {
		add("skipped", fmt.Sprintf("%d unknown fields", d.Unknown))
	}
	add("updates", len(d.Updates))
	for _, u := range d.Updates {
		add("", u)
	}
	add("payloads", len(d.Payloads))
	for _, p := range d.Payloads {
		add("", fmt.Sprintf("%d bytes %s", p.Bytes, p.Hex))
	}
	return printTable(w, rows)
}
