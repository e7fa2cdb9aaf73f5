package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/selkie-go/selkie"
	"github.com/spf13/cobra"
)

func (a *app) infoCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "info",
		Short: "Say who an agent is and how it fares",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.info(c.Context())
		},
	}
	return a.prints(a.talks(c), "text", "json")
}

func (a *app) info(ctx context.Context) error {
	agent, err := a.dial()
	if err != nil {
		return err
	}
	ctx, cancel := patient(ctx, askFor)
	defer cancel()
	var info struct {
		selfInfo
		Stats statsInfo `json:"stats"`
	}
	if err := agent.call(ctx, http.MethodGet, "/api/v1/self", nil, &info.selfInfo); err != nil {
		return err
	}
	if err := agent.call(ctx, http.MethodGet, "/api/v1/stats", nil, &info.Stats); err != nil {
		return err
	}
	if a.output == "json" {
		return printJSON(a.out, info)
	}
	cluster, stats := info.Cluster, info.Stats
	switch {
	case info.Wire == selkie.WireFoca.String():
		cluster = "(not named on this wire)"
	case cluster == "":
		cluster = "(no name)"
	}
	name := "(none)"
	if info.Name != info.Addr {
		name = info.Name
	}
	sealed := "no"
	if info.Sealed {
		sealed = "yes"
	}
	return printTable(a.out, [][]string{
		{"name", name},
		{"address", info.Addr},
		{"state", info.State},
		{"generation", fmt.Sprintf("%d (%s)", info.Generation, info.begin().UTC().Format(time.RFC3339))},
		{"incarnation", fmt.Sprint(info.Incarnation)},
		{"wire", info.Wire},
		{"cluster", cluster},
		{"sealed", sealed},
		{"tags", describeTags(info.Tags)},
		{"profile", info.Profile},
		{"members", summary(info.Members)},
		{"uptime", info.Uptime},
		{"version", info.Version},
		{"health", healthText(stats.Health)},
		{"probes", fmt.Sprintf("%d, %d failed", stats.Probes, stats.ProbesFailed)},
		{"sent", fmt.Sprintf("%d packets, %d bytes", stats.PacketsSent, stats.BytesSent)},
		{"received", fmt.Sprintf("%d packets, %d bytes", stats.PacketsReceived, stats.BytesReceived)},
	})
}

// begin is when the life of an agent began, by its generation.
func (s *selfInfo) begin() time.Time {
	if s.Wire == selkie.WireFoca.String() {
		return time.Unix(int64(s.Generation), 0)
	}
	return time.UnixMilli(int64(s.Generation))
}

// healthText says in words how much an agent doubts itself.
func healthText(doubt int) string {
	if doubt == 0 {
		return "well"
	}
	return fmt.Sprintf("doubts itself: its probes take %d times as long", doubt+1)
}
