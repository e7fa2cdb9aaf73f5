package main

import (
	"net/http"
	"runtime/debug"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/swim"
)

// metricsHandler serves the figures of an agent to Prometheus.
func metricsHandler(node *selkie.Node, events *eventLog, hooks []*hook) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(
		&collector{node: node, events: events, hooks: hooks},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

// A collector reads the counters of a node when it is asked. Nothing is
// counted a second time, and there is no label for a member: a cluster may
// have very many.
type collector struct {
	node   *selkie.Node
	events *eventLog
	hooks  []*hook

	mu       sync.Mutex
	answered uint64
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("selkie_"+name, help, labels, nil)
}

// The metrics. Names are never changed.
var (
	metricMembers      = desc("members", "Members that are known, the agent included.", "state")
	metricTransitions  = desc("member_transitions_total", "Changes of the state of a member.", "from", "to")
	metricHealth       = desc("health_score", "How much the agent doubts itself; 0 is not at all.")
	metricProbes       = desc("probes_total", "Probes that ended.", "result")
	metricSuspicions   = desc("suspicions_total", "How often a member was doubted.")
	metricRefutations  = desc("refutations_total", "How often the agent had to refute that it was down.")
	metricMsgSent      = desc("messages_sent_total", "Packets of the protocol that were sent.", "type")
	metricMsgReceived  = desc("messages_received_total", "Packets of the protocol that were understood.", "type")
	metricSent         = desc("packets_sent_total", "Packets that were sent.")
	metricReceived     = desc("packets_received_total", "Packets that were received.")
	metricDropped      = desc("packets_dropped_total", "Packets that were ignored, all or part of them.", "reason")
	metricBytesSent    = desc("packet_bytes_sent_total", "Bytes of the packets that were sent.")
	metricBytesReceive = desc("packet_bytes_received_total", "Bytes of the packets that were received.")
	metricSendErrors   = desc("send_errors_total", "Packets that the system did not take.")
	metricBacklog      = desc("updates_backlog", "News that are still being told.")
	metricRenewals     = desc("renewals_total", "How often the agent took a new identity by itself.")
	metricStreams      = desc("streams_total", "Streams that were opened or served.")
	metricStreamsOut   = desc("streams_refused_total", "Streams that were not let in, or broken off.")
	metricStreamProbes = desc("stream_probes_total", "Probes that were tried over a stream.")
	metricStreamAcks   = desc("stream_acks_total", "Probes that only a stream brought an answer to.")
	metricPayloadsLost = desc("payloads_lost_total", "Payloads that came too quickly.", "kind")
	metricHookDropped  = desc("hook_events_dropped_total", "Events that the commands of --on-event were too slow for.")
	metricHookFailed   = desc("hook_failures_total", "How often a command of --on-event failed.")
	metricKeys         = desc("keys", "Keys that the agent accepts.")
	metricKeyMissing   = desc("primary_key_missing_members", "Active members that do not say that they accept the key that the agent seals with.")
	metricBuild        = desc("build_info", "What the agent was built from.", "version", "go")
)

// Describe says nothing in advance: what there is depends on the protocol.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect reads everything once.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, n int, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	s := c.node.Stats()
	c.collectProtocol(s.Protocol, count, gauge)
	c.collectPackets(s, count)
	c.collectMembers(count, gauge)
	c.collectKeys(gauge)
	var dropped, failed uint64
	for _, h := range c.hooks {
		d, f := h.counts()
		dropped, failed = dropped+d, failed+f
	}
	count(metricHookDropped, dropped)
	count(metricHookFailed, failed)
	gauge(metricBuild, 1, version(), goVersion())
}

// A counting is how Collect hands over a counter or a gauge.
type (
	counting func(d *prometheus.Desc, n uint64, labels ...string)
	gauging  func(d *prometheus.Desc, n int, labels ...string)
)

func (c *collector) collectProtocol(p swim.Stats, count counting, gauge gauging) {
	gauge(metricHealth, p.Health)
	gauge(metricBacklog, p.Backlog)
	count(metricProbes, c.countAnswered(p), "answered")
	count(metricProbes, p.ProbesFailed, "failed")
	count(metricProbes, p.ProbesVoid, "void")
	count(metricRefutations, p.Refutations)
	count(metricRenewals, p.Renewals)
	for i := range p.Sent {
		if m := swim.Message(i); m.Valid() {
			count(metricMsgSent, p.Sent[i], m.String())
			count(metricMsgReceived, p.Received[i], m.String())
		}
	}
}

// countAnswered returns how many probes were answered: those that are neither
// judged otherwise nor still under way, of which there is at most one.
func (c *collector) countAnswered(p swim.Stats) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if judged := p.ProbesFailed + p.ProbesVoid + 1; p.Probes > judged {
		c.answered = max(c.answered, p.Probes-judged)
	}
	return c.answered
}

func (c *collector) collectPackets(s selkie.Stats, count counting) {
	count(metricSent, s.PacketsSent)
	count(metricReceived, s.PacketsReceived)
	count(metricBytesSent, s.BytesSent)
	count(metricBytesReceive, s.BytesReceived)
	count(metricSendErrors, s.SendErrors)
	count(metricStreams, s.Streams)
	count(metricStreamsOut, s.StreamsRefused)
	count(metricStreamProbes, s.StreamProbes)
	count(metricStreamAcks, s.StreamAcks)
	count(metricPayloadsLost, s.MessagesLost, kindMessage)
	count(metricPayloadsLost, s.BroadcastsLost, kindBroadcast)
	dropped := make(map[string]uint64)
	for i, n := range s.Protocol.Drops {
		dropped[swim.Drop(i).String()] += n
	}
	for reason, n := range s.Refused {
		dropped[reason] += n
	}
	for reason, n := range dropped {
		count(metricDropped, n, reason)
	}
}

func (c *collector) collectMembers(count counting, gauge gauging) {
	states := map[string]int{"alive": 0, "suspect": 0, "down": 0, "left": 0}
	for m := range c.node.Members() {
		states[m.State.String()]++
	}
	for state, n := range states {
		gauge(metricMembers, n, state)
	}
	moves, suspected := c.events.tally()
	for m, n := range moves {
		count(metricTransitions, n, m.from, m.to)
	}
	count(metricSuspicions, suspected)
}

func (c *collector) collectKeys(gauge gauging) {
	held, missing := 0, 0
	for _, k := range c.node.Keys() {
		if k.Held {
			held++
		}
		if k.Primary {
			missing = len(k.Missing)
		}
	}
	gauge(metricKeys, held)
	gauge(metricKeyMissing, missing)
}

func goVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.GoVersion
}
