package selkie

import (
	"maps"

	"github.com/selkie-go/selkie/swim"
)

// Stats are the counters and sizes of a node, by value. Counters only grow.
type Stats struct {
	// Protocol are those of the protocol itself.
	Protocol swim.Stats
	// PacketsSent and PacketsReceived count datagrams, and their bytes with what
	// seals or frames them.
	PacketsSent, PacketsReceived uint64
	BytesSent, BytesReceived     uint64
	// SendErrors counts packets that the transport did not take.
	SendErrors uint64
	// EventsLost counts how often a watcher fell behind and got a snapshot.
	EventsLost uint64
	// Refused counts packets that were not for the protocol, by reason: damaged
	// or forged ones, replays, other clusters, unknown keys, unknown senders.
	Refused map[string]uint64
	// Streams counts the streams that were served and that we opened, and
	// StreamsRefused those that were not let in, or broken off.
	Streams, StreamsRefused uint64
	// StreamProbes counts probes whose datagrams were not answered and that
	// were tried over a stream, and StreamAcks those that were answered so: a
	// member that only these reach is alive behind a network that loses its
	// datagrams.
	StreamProbes, StreamAcks uint64
	// MessagesLost counts payloads that [Config.OnMessage] was too slow for.
	MessagesLost uint64
	// BroadcastsLost counts payloads that [Config.OnBroadcast] was too slow
	// for.
	BroadcastsLost uint64
}

// Stats returns the counters and sizes of this moment, or after Close those of
// the end.
func (n *Node) Stats() Stats {
	var s Stats
	if err := n.do(func() { s = n.stats() }); err != nil {
		s = *n.lastStats.Load()
		s.Refused = maps.Clone(s.Refused)
	}
	return s
}

// stats runs in run.
func (n *Node) stats() Stats {
	refused := make(map[string]uint64)
	n.envelope.refused(refused)
	return Stats{
		Refused:         refused,
		Streams:         n.streamsOpened.Load(),
		StreamsRefused:  n.streamsRefused.Load(),
		StreamProbes:    n.streamProbes,
		StreamAcks:      n.streamAcks,
		MessagesLost:    n.messages.lostDirect.Load(),
		Protocol:        n.core.Stats(),
		PacketsSent:     n.packetsSent.Load(),
		PacketsReceived: n.packetsReceived.Load(),
		BytesSent:       n.bytesSent.Load(),
		BytesReceived:   n.bytesReceived.Load(),
		SendErrors:      n.sendErrors.Load(),
		EventsLost:      n.events.lost.Load(),
		BroadcastsLost:  n.messages.lost.Load(),
	}
}

func (n *Node) keepStats() {
	s := n.stats()
	n.lastStats.Store(&s)
}
