package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// defaultLedger is the ledger of the project, seen from its top directory.
const defaultLedger = "sim/ledger.jsonl"

func (a *app) simLedgerCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "ledger [FILE]",
		Short: "Sum up what was simulated so far",
		Long: `Sum up a ledger: for every commit that changed Go code, how many seeds and
node-hours were simulated at it, and how many promises did not hold. The ledger
is FILE, or ` + defaultLedger + `; it is written by selkie sim swarm --ledger.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			file := defaultLedger
			if len(args) > 0 {
				file = args[0]
			}
			return a.sumUp(c.Context(), file)
		},
	}
	return a.prints(c, "text", "json")
}

// An entry is a line of the ledger: one swarm.
type entry struct {
	Date       string  `json:"date"`
	Commit     string  `json:"commit"` // the last that changed Go code
	Mix        string  `json:"mix"`    // flags that are not the default
	FirstSeed  uint64  `json:"first_seed"`
	LastSeed   uint64  `json:"last_seed"`
	Seeds      int     `json:"seeds"`
	NodeHours  float64 `json:"node_hours"`
	Invalid    int     `json:"invalid"`
	Violations int     `json:"violations"`
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"`
}

// A record is an entry that is going to be written.
type record struct {
	file   string
	commit string
}

// newRecord notes which code is about to run, before anybody changes it.
func newRecord(ctx context.Context, file string) (*record, error) {
	commit, err := codeCommit(ctx)
	if err != nil {
		return nil, err
	}
	// A swarm of hours should not find out at its end that it can not write.
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return &record{file: file, commit: commit}, f.Close()
}

// codeCommit returns the last commit that changed Go code, and says so if the
// code has changed since.
func codeCommit(ctx context.Context) (string, error) {
	commit, err := git(ctx, "log", "-1", "--format=%H", "--", ":(top)*.go", ":(top)*go.mod")
	if err != nil {
		return "", err
	}
	if commit == "" {
		return "", errors.New("no commit here has Go code")
	}
	commit = commit[:12]
	changes, err := git(ctx, "status", "--porcelain", "--", ":(top)*.go", ":(top)*go.mod")
	if changes != "" {
		commit += "+changes"
	}
	return commit, err
}

// git returns what git prints.
func git(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", args...).Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			err = errors.New(strings.TrimSpace(string(exit.Stderr)))
		}
		return "", fmt.Errorf("a ledger needs to know the commit: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// append writes the entry.
func (r *record) append(t *swarmReport) error {
	line, err := json.Marshal(entry{
		Date: time.Now().UTC().Format(time.RFC3339), Commit: r.commit, Mix: t.Mix,
		FirstSeed: t.FirstSeed, LastSeed: t.LastSeed, Seeds: t.Seeds, NodeHours: tenths(t.NodeHours),
		Invalid: t.Invalid, Violations: len(t.Violations), Seconds: tenths(t.Seconds), CPUSeconds: tenths(t.CPUSeconds),
	})
	if err != nil || t.Seeds == 0 {
		return err
	}
	f, err := os.OpenFile(r.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// tenths drops the digits that nobody needs.
func tenths(x float64) float64 { return float64(int64(x*10+0.5)) / 10 }

// A ledgerSum is what was done at one commit, or at all of them.
type ledgerSum struct {
	Commit     string  `json:"commit,omitempty"`
	Date       string  `json:"date"` // of the last entry
	Swarms     int     `json:"swarms"`
	Seeds      int     `json:"seeds"`
	NodeHours  float64 `json:"node_hours"`
	Invalid    int     `json:"invalid"`
	Violations int     `json:"violations"`
}

func (s *ledgerSum) add(e entry) {
	s.Date = e.Date
	s.Swarms++
	s.Seeds += e.Seeds
	s.NodeHours += e.NodeHours
	s.Invalid += e.Invalid
	s.Violations += e.Violations
}

// A ledgerInfo is a ledger in short, as it is printed.
type ledgerInfo struct {
	Total   ledgerSum    `json:"total"`
	Commits []*ledgerSum `json:"commits"`
	// Current is the commit of the code as it is; empty if nobody knows.
	Current   string  `json:"current"`
	NodeHours float64 `json:"current_node_hours"`
}

// sumUp prints a ledger in short.
func (a *app) sumUp(ctx context.Context, file string) error {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fail(exitNothing, "there is no ledger %s", file)
	}
	if err != nil {
		return err
	}
	info, err := readLedger(text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	info.Current, _ = codeCommit(ctx) // who reads it elsewhere has none
	for _, s := range info.Commits {
		if s.Commit == info.Current {
			info.NodeHours = s.NodeHours
		}
	}
	if a.output == "json" {
		return printJSON(a.out, info)
	}
	return a.printLedger(info)
}

// readLedger adds up the entries by commit, in the order of their first ones.
func readLedger(text []byte) (*ledgerInfo, error) {
	info := &ledgerInfo{Commits: []*ledgerSum{}}
	by := map[string]*ledgerSum{}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		s := by[e.Commit]
		if s == nil {
			s = &ledgerSum{Commit: e.Commit}
			by[e.Commit] = s
			info.Commits = append(info.Commits, s)
		}
		s.add(e)
		info.Total.add(e)
	}
	return info, nil
}

func (a *app) printLedger(info *ledgerInfo) error {
	rows := [][]string{{"COMMIT", "LAST", "SEEDS", "NODE-HOURS", "INVALID", "VIOLATIONS"}}
	row := func(name string, s *ledgerSum) []string {
		day, _, _ := strings.Cut(s.Date, "T")
		return []string{name, day, fmt.Sprint(s.Seeds), fmt.Sprintf("%.0f", s.NodeHours), fmt.Sprint(s.Invalid), fmt.Sprint(s.Violations)}
	}
	for _, s := range info.Commits {
		r := row(s.Commit, s)
		if s.Commit == info.Current {
			r = append(r, "this code")
		}
		rows = append(rows, r)
	}
	return printTable(a.out, append(rows, row("all", &info.Total)))
}
