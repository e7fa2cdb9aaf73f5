package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// A configFile is the file of an agent. Its keys are the names of flags; lists
// are in the plural. What is not there is nil.
type configFile struct {
	Bind           *string           `toml:"bind"`
	Advertise      *string           `toml:"advertise"`
	Join           []string          `toml:"join"`
	Cluster        *string           `toml:"cluster"`
	Name           *string           `toml:"name"`
	Tags           map[string]string `toml:"tags" flag:"tag"`
	Wire           *string           `toml:"wire"`
	Profile        *string           `toml:"profile"`
	KeyFile        *string           `toml:"key-file"`
	Insecure       *bool             `toml:"insecure"`
	DataDir        *string           `toml:"data-dir"`
	Admin          *string           `toml:"admin"`
	AdminTokenFile *string           `toml:"admin-token-file"`
	LeaveTimeout   *string           `toml:"leave-timeout"`
	OnEvent        []string          `toml:"on-event"`
	LogLevel       *string           `toml:"log-level"`
	LogFormat      *string           `toml:"log-format"`
}

// readConfig reads the file that --config names.
func readConfig(path string) (layer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return layer{}, fail(exitUsage, "--config: %w", err)
	}
	return parseConfig(path, text)
}

// parseConfig reads the text of the file at path.
func parseConfig(path string, text []byte) (layer, error) {
	var c configFile
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return layer{}, fail(exitUsage, "%w", inConfig(path, err))
	}
	return c.layer(path), nil
}

// inConfig says in which line a file is wrong.
func inConfig(path string, err error) error {
	if missing, ok := errors.AsType[*toml.StrictMissingError](err); ok && len(missing.Errors) > 0 {
		first := &missing.Errors[0]
		line, _ := first.Position()
		return fmt.Errorf("%s:%d: there is no setting %q", path, line, strings.Join(first.Key(), "."))
	}
	if wrong, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ := wrong.Position()
		return fmt.Errorf("%s:%d: %s", path, line, strings.TrimPrefix(wrong.Error(), "toml: "))
	}
	return fmt.Errorf("%s: %w", path, err)
}

// layer returns what the file says.
func (c *configFile) layer(path string) layer {
	l := layer{values: make(map[string][]string), call: func(flag string) string { return path + ": " + flag }}
	for field, value := range reflect.ValueOf(c).Elem().Fields() {
		name := field.Tag.Get("toml")
		if flag := field.Tag.Get("flag"); flag != "" {
			name = flag
		}
		switch v := value.Interface().(type) {
		case *string:
			if v != nil {
				l.values[name] = []string{*v}
			}
		case *bool:
			if v != nil {
				l.values[name] = []string{fmt.Sprint(*v)}
			}
		case []string:
			if v != nil {
				l.values[name] = v
			}
		case map[string]string:
			if v != nil {
				tags := tagsFlag(v)
				l.values[name] = tags.GetSlice()
			}
		}
	}
	return l
}
