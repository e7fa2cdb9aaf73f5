package tidy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/selkie-go/selkie"

// A room is a directory, those below it included unless they have a line of
// their own, and says what may be imported there.
type room struct {
	path string
	// ours are the rooms that it may know, besides itself and what is below
	// it.
	ours []string
	// others allows modules of other people.
	others bool
	// noWorld forbids sockets, files and the environment.
	noWorld bool
}

// rooms is the import graph. Nothing may import a room that no line names, so
// nobody imports the command.
var rooms = []room{
	{path: ".", ours: []string{"swim", "foca", "transport", "internal"}},
	{path: "swim"}, // what it may import of the standard library, its own test says
	{path: "foca", ours: []string{"swim"}, noWorld: true},
	{path: "transport"},
	{path: "sim", ours: []string{"swim", "foca", "transport/sealed"}, noWorld: true},
	{path: "internal"},
	{path: "internal/netns", ours: []string{".", "swim"}}, // tests of whole nodes
	{path: "examples", ours: []string{".", "swim", "transport", "sim"}},
	{path: "bench", ours: []string{".", "swim", "transport", "sim"}, others: true},
	{path: "cmd/selkie", ours: []string{".", "swim", "foca", "transport", "sim", "internal"}, others: true},
}

// roomOf finds the line for a directory: the longest that it is in. The top
// room is the top directory alone.
func roomOf(dir string) (room, bool) {
	best, ok := room{}, false
	for _, r := range rooms {
		if inside(dir, r.path) && (!ok || len(r.path) > len(best.path)) {
			best, ok = r, true
		}
	}
	return best, ok
}

func inside(dir, room string) bool {
	return dir == room || room != "." && strings.HasPrefix(dir, room+"/")
}

// wrongImports says which imports of a file the graph does not allow.
func wrongImports(s source) []string {
	r, ok := roomOf(s.room())
	if !ok {
		return []string{fmt.Sprintf("%s: its room is not in the import graph: add a line", s.path)}
	}
	var found []string
	for _, spec := range s.ast.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		if why := r.refuses(path, s.isTest()); why != "" {
			found = append(found, fmt.Sprintf("%s imports %s: %s", s.path, path, why))
		}
	}
	return found
}

// refuses says why a room may not import a package, or nothing.
func (r room) refuses(path string, inTest bool) string {
	first, _, _ := strings.Cut(path, "/")
	switch {
	case path == module || strings.HasPrefix(path, module+"/"):
		dir := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
		if dir == "" {
			dir = "."
		}
		knows := func(room string) bool { return inside(dir, room) }
		if !knows(r.path) && !slices.ContainsFunc(r.ours, knows) {
			return fmt.Sprintf("%s may know %v", r.path, r.ours)
		}
	case strings.Contains(first, "."):
		if !r.others {
			return "the root module requires nothing"
		}
	case r.noWorld && !inTest:
		if first == "os" || first == "net" && path != "net/netip" || path == "syscall" {
			return r.path + " touches nothing outside itself"
		}
	}
	return ""
}

func TestEveryPackageKnowsOnlyWhatItMay(t *testing.T) {
	for _, s := range sources(t, ".go") {
		for _, complaint := range wrongImports(s) {
			t.Error(complaint)
		}
	}
}

func TestImportGraphRefusesWhatItShould(t *testing.T) {
	for _, test := range []struct{ path, imports, want string }{
		{"swim/core.go", module + "/transport/mem", "swim may know"},
		{"swim/core.go", module, "swim may know"},
		{"swim/core.go", module + "/swim/swimtest", ""},
		{"swim/core.go", "fmt", ""},
		{"transport/mem/mem.go", module + "/swim", "transport may know"},
		{"transport/udp/udp.go", module + "/transport/frame", ""},
		{"node.go", module + "/swim", ""},
		{"node.go", module + "/sim", ". may know"},
		{"node.go", module + "/cmd/selkie", ". may know"},
		{"node.go", "golang.org/x/net", "requires nothing"},
		{"sim/world.go", "net", "touches nothing"},
		{"sim/world.go", "os/exec", "touches nothing"},
		{"sim/world.go", "net/netip", ""},
		{"sim/world_test.go", "os", ""},
		{"sim/world.go", module, "sim may know"},
		{"sim/world.go", module + "/transport/mem", "sim may know"},
		{"sim/world.go", module + "/transport/sealed", ""},
		{"examples/identity/main.go", module + "/internal/tidy", "examples may know"},
		{"examples/identity/main.go", module, ""},
		{"bench/a_test.go", module + "/internal/tidy", "bench may know"},
		{"bench/a_test.go", "github.com/hashicorp/memberlist", ""},
		{"cmd/selkie/main.go", "github.com/spf13/cobra", ""},
		{"cmd/selkie/main.go", module + "/cmd/other", "cmd/selkie may know"},
		{"new/room.go", "fmt", "add a line"},
	} {
		text := fmt.Sprintf("package p\nimport _ %q\n", test.imports)
		wantFound(t, test.path+" importing "+test.imports, wrongImports(parse(t, test.path, text)), test.want)
	}
}
