package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// load returns the settings of a command line, an environment and a file.
func load(t *testing.T, args []string, env map[string]string, file string) (*settings, error) {
	t.Helper()
	if file != "" {
		path := filepath.Join(t.TempDir(), "agent.toml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	line := newSettings()
	if err := line.flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return loadSettings(givenFlags(line.flags), environment(func(name string) string { return env[name] }))
}

func TestFlagsGoBeforeVariablesAndThoseBeforeTheFile(t *testing.T) {
	const file = `
bind = "127.0.0.1:1"
name = "of the file"
profile = "wan"
log-level = "debug"
join = ["a:1", "b:1"]
on-event = ["true"]
insecure = true
leave-timeout = "7s"

[tags]
zone = "c"
rack = "1"
`
	env := map[string]string{"SELKIE_NAME": "of the environment", "SELKIE_PROFILE": "local", "SELKIE_JOIN": "c:1,d:1", "SELKIE_CLUSTER": "", "SELKIE_TAG": "zone=b"}
	s, err := load(t, []string{"--name", "of the line", "--join", "e:1", "--insecure=false"}, env, file)
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct{ got, want string }{
		"bind":          {s.bind, "127.0.0.1:1"},
		"name":          {s.name, "of the line"},
		"profile":       {s.profile, "local"},
		"log-level":     {s.logLevel, "debug"},
		"log-format":    {s.logFormat, "text"},
		"cluster":       {s.cluster, "default"},
		"join":          {strings.Join(s.join, " "), "e:1"},
		"on-event":      {strings.Join(s.onEvent, " "), "true"},
		"tag":           {s.tags.String(), "zone=b"},
		"leave-timeout": {s.leaveTimeout.String(), "7s"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %q, want %q", what, c.got, c.want)
		}
	}
	if s.insecure || !s.given["insecure"] || s.given["cluster"] {
		t.Errorf("insecure %v, given %v", s.insecure, s.given)
	}
}

func TestListsOfTheFileAreTaken(t *testing.T) {
	s, err := load(t, nil, nil, "join = ['a:1', 'b:1']\ntags = {zone = 'c', rack = 'x=y, z'}\n")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.join, []string{"a:1", "b:1"}) || !reflect.DeepEqual(s.tags, tagsFlag{"zone": "c", "rack": "x=y, z"}) {
		t.Errorf("join %q, tags %q", s.join, s.tags)
	}
}

func TestMistakesInSettingsAreNamed(t *testing.T) {
	for _, c := range []struct {
		env        map[string]string
		file, want string
	}{
		{nil, "bind = '127.0.0.1:1'\ncolour = 'red'", `agent.toml:2: there is no setting "colour"`},
		{nil, "[tags]\na = 'b'\n[limits]\nmembers = 3", `agent.toml:3: there is no setting "limits`},
		{nil, "\nname = 3", "agent.toml:2: "},
		{nil, "name = ", "agent.toml:1: "},
		{nil, "profile = 'moon'", "agent.toml: profile: must be one of lan, wan, local"},
		{nil, "leave-timeout = 'soon'", "agent.toml: leave-timeout: "},
		{nil, "config = 'other'", `there is no setting "config"`},
		{map[string]string{"SELKIE_LOG_LEVEL": "loud"}, "", "SELKIE_LOG_LEVEL: must be one of"},
		{map[string]string{"SELKIE_TAG": "zone"}, "", `SELKIE_TAG: "zone" is not key=value`},
		{map[string]string{"SELKIE_CONFIG": "/no/such/file"}, "", "no such file"},
	} {
		_, err := load(t, nil, c.env, c.file)
		exit, ok := errors.AsType[*exitError](err)
		if !ok || exit.code != exitUsage || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v %q: got %v, want %q", c.env, c.file, err, c.want)
		}
	}
}

// Rule of the house: every flag of the agent has a variable and a key.
func TestEveryFlagIsInTheFile(t *testing.T) {
	all := configFile{}
	for field, value := range reflect.ValueOf(&all).Elem().Fields() {
		switch {
		case field.Type.Kind() == reflect.Pointer:
			value.Set(reflect.New(field.Type.Elem()))
		case field.Type.Kind() == reflect.Slice:
			value.Set(reflect.MakeSlice(field.Type, 0, 0))
		default:
			value.Set(reflect.MakeMap(field.Type))
		}
	}
	values := all.layer("f").values
	newSettings().flags.VisitAll(func(flag *pflag.Flag) {
		if _, ok := values[flag.Name]; !ok && !flag.Hidden && flag.Name != "config" {
			t.Errorf("--%s can not be in a file", flag.Name)
		}
		delete(values, flag.Name)
	})
	if len(values) > 0 {
		t.Errorf("no flags: %v", values)
	}
}
