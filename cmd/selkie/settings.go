package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/selkie-go/selkie/swim"
	"github.com/spf13/pflag"
)

// settings are what an agent is told: by its flags, by variables of the
// environment, and by its file. They do not change; a reload makes new ones.
type settings struct {
	bind, advertise, cluster, profile string
	wire                              wireFlag
	name                              string
	tags                              tagsFlag
	join                              []string
	insecure                          bool
	keyFile, dataDir                  string
	endpoint, tokenFile               string
	leaveTimeout                      time.Duration
	logLevel, logFormat               string
	onEvent                           []string
	config                            string
	whileInput                        bool

	given map[string]bool // by somebody, by the name of the flag
	flags *pflag.FlagSet
}

var profiles = map[string]swim.Config{"lan": swim.LAN(1), "wan": swim.WAN(1), "local": swim.Local()}

// Words that flags take.
var (
	profileWords = []string{"lan", "wan", "local"}
	levelWords   = []string{"debug", "info", "warn", "error"}
	formatWords  = []string{"text", "json"}
)

// newSettings returns the defaults, and the flags that change them.
func newSettings() *settings {
	s := &settings{profile: "lan", logLevel: "info", logFormat: "text", given: make(map[string]bool)}
	f := pflag.NewFlagSet("agent", pflag.ContinueOnError)
	f.StringVar(&s.bind, "bind", "127.0.0.1:7946", "address to receive at; port 0 lets the system choose")
	f.StringVar(&s.advertise, "advertise", "", "where others reach it, if not at --bind: host or host:port")
	f.StringArrayVar(&s.join, "join", nil, "where to look for members: host:port, dns+name:port, dnssrv+name, file=PATH or exec=COMMAND; repeat it for more")
	f.StringVar(&s.cluster, "cluster", "default", "name of the cluster; packets of others are refused")
	f.StringVar(&s.name, "name", "", "what people call it; names need not be different")
	f.Var(&s.tags, "tag", "what others are told about it, key=value; repeat it for more")
	s.wire.on(f, "what the members of the cluster speak")
	f.Var(&choice{&s.profile, profileWords}, "profile", "how quick to be")
	f.StringVar(&s.keyFile, "key-file", "", "file with the key that seals what members say; see 'selkie help keygen'")
	f.BoolVar(&s.insecure, "insecure", false, "receive from a network although packets are not sealed")
	f.StringVar(&s.dataDir, "data-dir", "", "directory for what it must know after a restart")
	f.StringVar(&s.endpoint, "admin", "", "where it is talked to: unix:///path or http://host:port; by default a socket named after the port")
	f.StringVar(&s.tokenFile, "admin-token-file", "", "file with the token for http; by default $"+tokenVariable)
	f.DurationVar(&s.leaveTimeout, "leave-timeout", 5*time.Second, "most time for saying goodbye")
	f.StringArrayVar(&s.onEvent, "on-event", nil, "command to run for every event, which it gets as JSON; repeat it for more")
	f.Var(&choice{&s.logLevel, levelWords}, "log-level", "least important thing to log")
	f.Var(&choice{&s.logFormat, formatWords}, "log-format", "how to log")
	f.StringVar(&s.config, "config", "", "file with more settings, in TOML")
	f.BoolVar(&s.whileInput, "while-input", false, "leave when standard input ends")
	_ = f.MarkHidden("while-input") // for those who start agents and may be killed
	s.flags = f
	return s
}

// A layer is one source of settings: their values, by the name of the flag.
type layer struct {
	values map[string][]string
	call   func(flag string) string // how the source calls a setting
}

// set puts the values of a layer in the place of what there was.
func (s *settings) set(l layer) error {
	for _, name := range slices.Sorted(maps.Keys(l.values)) {
		flag, values := s.flags.Lookup(name), l.values[name]
		var err error
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			err = list.Replace(values)
		} else {
			err = flag.Value.Set(values[0])
		}
		if err != nil {
			return fail(exitUsage, "%s: %w", l.call(name), err)
		}
		s.given[name] = true
	}
	return nil
}

// loadSettings returns the settings that flags, environment and file add up
// to: a flag goes before a variable, and that before the file.
func loadSettings(flags, env layer) (*settings, error) {
	var file layer
	for _, l := range []layer{flags, env} {
		if path := l.values["config"]; path != nil {
			var err error
			if file, err = readConfig(path[0]); err != nil {
				return nil, err
			}
			break
		}
	}
	s := newSettings()
	for _, l := range []layer{file, env, flags} {
		if err := s.set(l); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// givenFlags returns what a command line said.
func givenFlags(f *pflag.FlagSet) layer {
	l := layer{values: make(map[string][]string), call: func(flag string) string { return "--" + flag }}
	ours := newSettings().flags
	f.Visit(func(flag *pflag.Flag) {
		if ours.Lookup(flag.Name) == nil {
			return // --help
		}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			l.values[flag.Name] = list.GetSlice()
		} else {
			l.values[flag.Name] = []string{flag.Value.String()}
		}
	})
	return l
}

// environment returns what variables say: SELKIE_ and the name of a flag. One
// that is empty says nothing.
func environment(getenv func(string) string) layer {
	l := layer{values: make(map[string][]string), call: variable}
	newSettings().flags.VisitAll(func(flag *pflag.Flag) {
		value := getenv(variable(flag.Name))
		switch {
		case value == "" || flag.Hidden:
		case flag.Name == "join" || flag.Name == "tag":
			l.values[flag.Name] = strings.Split(value, ",")
		default:
			l.values[flag.Name] = []string{value}
		}
	})
	return l
}

// variable returns the variable of the environment for a flag.
func variable(flag string) string {
	return "SELKIE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// osEnvironment is the environment that we were started in.
func osEnvironment() layer { return environment(os.Getenv) }

// differs returns the settings in which two differ, by the names of the flags.
func (s *settings) differs(o *settings) []string {
	var names []string
	s.flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Value.String() != o.flags.Lookup(flag.Name).Value.String() {
			names = append(names, flag.Name)
		}
	})
	return names
}

// tagsFlag is the value of --tag.
type tagsFlag map[string]string

// parseTag takes key=value apart.
func parseTag(s string) (key, value string, err error) {
	key, value, ok := strings.Cut(s, "=")
	if !ok || key == "" {
		return "", "", fmt.Errorf("%q is not key=value", s)
	}
	return key, value, nil
}

// Set adds a tag, or replaces its value.
func (t *tagsFlag) Set(s string) error { return t.Append(s) }

// Append does the same.
func (t *tagsFlag) Append(s string) error {
	key, value, err := parseTag(s)
	if err != nil {
		return err
	}
	if *t == nil {
		*t = make(tagsFlag)
	}
	(*t)[key] = value
	return nil
}

// Replace sets all tags anew.
func (t *tagsFlag) Replace(tags []string) error {
	*t = nil
	for _, tag := range tags {
		if err := t.Append(tag); err != nil {
			return err
		}
	}
	return nil
}

// GetSlice returns the tags as key=value, sorted.
func (t *tagsFlag) GetSlice() []string {
	tags := make([]string, 0, len(*t))
	for _, key := range slices.Sorted(maps.Keys(*t)) {
		tags = append(tags, key+"="+(*t)[key])
	}
	return tags
}

func (t *tagsFlag) String() string { return strings.Join(t.GetSlice(), " ") }

// Type returns what help calls a tag.
func (t *tagsFlag) Type() string { return "key=value" }
