package sim

import (
	"fmt"
	"reflect"

	"github.com/selkie-go/selkie/swim"
)

// The fields of a plan are walked here without knowing them one by one, so that
// a new kind of fault can be shrunk and printed on the day it is made.

// A field is one field somewhere in a plan, at a place that its path names.
type field struct {
	path    string
	value   reflect.Value // may be set, if what was walked may
	trivial reflect.Value // what it would be if nobody had chosen it
}

// fieldsOf yields the numbers, truths and structures below a structure, always
// in the same order and each structure before what is in it. Those of a
// configuration are trivial where they are as in usual; a configuration that is
// zero as a whole has no fields.
func fieldsOf(of reflect.Value, usual swim.Config, yield func(field)) {
	walk("", of, reflect.Zero(of.Type()), reflect.ValueOf(usual), yield)
}

func walk(path string, v, trivial, usual reflect.Value, yield func(field)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(path, v.Elem(), reflect.Zero(v.Type().Elem()), usual, yield)
		}
	case reflect.Struct:
		if path != "" {
			yield(field{path, v, trivial})
		}
		if v.Type() == usual.Type() {
			if v.IsZero() {
				return
			}
			trivial = usual
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				walk(nested(path, v.Type().Field(i).Name), v.Field(i), trivial.Field(i), usual, yield)
			}
		}
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Float64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		yield(field{path, v, trivial})
	}
}

func nested(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// odd lists the fields below a structure that are not trivial, as "Loss=0.1".
func odd(of any, usual swim.Config) []string {
	var found []string
	fieldsOf(reflect.ValueOf(of), usual, func(f field) {
		if f.value.Kind() != reflect.Struct && !f.value.Equal(f.trivial) {
			found = append(found, fmt.Sprintf("%s=%v", f.path, f.value.Interface()))
		}
	})
	return found
}

// clone returns a plan that shares nothing with this one.
func (p Plan) clone() Plan {
	copied := reflect.New(reflect.TypeFor[Plan]()).Elem()
	copied.Set(reflect.ValueOf(p))
	deepen(copied)
	return copied.Interface().(Plan)
}

// deepen replaces whatever a value points to by copies.
func deepen(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			copied := reflect.New(v.Type().Elem())
			copied.Elem().Set(v.Elem())
			v.Set(copied)
			deepen(copied.Elem())
		}
	case reflect.Slice:
		if !v.IsNil() {
			copied := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(copied, v)
			v.Set(copied)
			for i := range v.Len() {
				deepen(v.Index(i))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				deepen(v.Field(i))
			}
		}
	}
}

// setsOf returns the sets of nodes below a value that may be set.
func setsOf(v reflect.Value) []*Set {
	if v.Type() == reflect.TypeFor[Set]() {
		return []*Set{v.Addr().Interface().(*Set)}
	}
	var sets []*Set
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			sets = setsOf(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			sets = append(sets, setsOf(v.Index(i))...)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				sets = append(sets, setsOf(v.Field(i))...)
			}
		}
	}
	return sets
}
