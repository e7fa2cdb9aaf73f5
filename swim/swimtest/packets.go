package swimtest

import (
	"math"

	"github.com/selkie-go/selkie/swim"
)

// packets returns packets of every message: with small values and with the
// largest, bare and with as much of updates and payloads as it may carry. Each
// identity takes every place.
func packets[ID comparable](ids []ID) []*swim.Packet[ID] {
	var all []*swim.Packet[ID]
	large := false
	for m := range swim.Message(math.MaxUint8) {
		if !m.Valid() {
			continue
		}
		for range 2 {
			all = append(all, &swim.Packet[ID]{Header: header(m, rotated(ids, len(all)), large)})
			large = !large
		}
		order := rotated(ids, len(all))
		p := &swim.Packet[ID]{Header: header(m, order, large)}
		if m.HasUpdates() {
			p.Updates = updates(order, large)
		}
		if m.HasPayloads() {
			p.Payloads = [][]byte{{0}, []byte("payload"), make([]byte, 130)}
		}
		all = append(all, p)
		large = !large
	}
	return all
}

func rotated[ID any](ids []ID, turn int) []ID {
	turn %= len(ids)
	return append(append([]ID(nil), ids[turn:]...), ids[:turn]...)
}

func header[ID any](m swim.Message, ids []ID, large bool) swim.Header[ID] {
	h := swim.Header[ID]{Message: m, Src: ids[0], Dst: ids[1]}
	if m.HasNumber() {
		h.Number = 1
	}
	if m.HasAbout() {
		h.About = ids[2]
	}
	if m == swim.MessagePingReq {
		h.NackAfter = 400
	}
	if hasPages(m) {
		h.Page = 2
	}
	if hasDigest(m) {
		h.Digest = swim.Digest{Sum: 1, Members: 1}
	}
	if !large {
		return h
	}
	h.SrcState = swim.Left
	h.SrcIncarnation = math.MaxUint64
	h.SrcMetadata = math.MaxUint64
	if m.HasNumber() {
		h.Number = math.MaxUint32
	}
	if m == swim.MessageTurnUndead {
		h.AboutIncarnation = math.MaxUint64
	}
	if m == swim.MessagePingReq {
		h.NackAfter = math.MaxUint32
	}
	if hasPages(m) {
		h.Page = math.MaxUint32
	}
	if hasDigest(m) {
		h.Digest = swim.Digest{Sum: math.MaxUint64, Members: math.MaxUint32, Settled: true}
	}
	return h
}

// hasDigest reports whether the header of a message may sum up whom its sender knows.
func hasDigest(m swim.Message) bool { return m == swim.MessagePing || m == swim.MessageAck }

// hasPages reports whether the header of a message names a page of a list.
func hasPages(m swim.Message) bool { return m == swim.MessageAnnounce || m == swim.MessageFeed }

// updates returns updates in every state and with every number of accusers,
// about every identity in turn.
func updates[ID any](ids []ID, large bool) []swim.Update[ID] {
	var all []swim.Update[ID]
	for _, s := range []swim.State{swim.Down, swim.Alive, swim.Suspect, swim.Left} {
		for accusers := range swim.MaxAccusers + 1 {
			if accusers > 0 && (s == swim.Alive || s == swim.Left) {
				continue
			}
			order := rotated(ids, len(all))
			u := swim.Update[ID]{
				Member: swim.Member[ID]{ID: order[0], State: s, Incarnation: swim.Incarnation(accusers)},
				By:     order[1 : 1+accusers],
			}
			if large {
				u.Incarnation = math.MaxUint64
				u.Metadata = math.MaxUint64
				if !s.Active() {
					u.Remaining = math.MaxUint32
				}
			}
			all = append(all, u)
		}
	}
	return all
}
