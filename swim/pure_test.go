package swim_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestProtocolIsAFunctionOfItsInputs keeps clocks, sockets, goroutines and
// chance out of the package. One forgotten call is enough to make a simulation
// that can not be repeated, and nobody would notice by reading.
func TestProtocolIsAFunctionOfItsInputs(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, path := range paths {
		if built, err := build.Default.MatchFile(".", path); err != nil {
			t.Fatal(err)
		} else if !built || strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if len(files) == 0 {
		t.Fatal("found no file to check")
	}
	found, err := impurities(fset, files)
	if err != nil {
		t.Fatal(err)
	}
	for _, complaint := range found {
		t.Error(complaint)
	}
}

// pureImports are the packages that the protocol may know about.
var pureImports = []string{
	"bytes", "cmp", "encoding/binary", "errors", "fmt", "hash/fnv", "hash/maphash", "iter", "maps", "math", "math/bits",
	"math/rand/v2", "slices", "strconv", "strings", "time",
}

// pureNames are, of packages that hold more than pure functions, the names
// that may be used.
var pureNames = map[string][]string{
	"time":         {"Duration", "Nanosecond", "Microsecond", "Millisecond", "Second", "Minute", "Hour"},
	"math/rand/v2": {"Rand", "New", "Source", "PCG", "NewPCG", "ChaCha8", "NewChaCha8"},
	"fmt":          {"Errorf", "Sprint", "Sprintf", "Sprintln", "Append", "Appendf", "Appendln", "Fprint", "Fprintf", "Fprintln", "Stringer"},
	// Not All, Keys and Values, which are ranges over a map in disguise.
	"maps": {"Clone", "Copy", "DeleteFunc", "Equal", "EqualFunc"},
}

// standard reads the standard library from its source, each package once.
var standard = importer.ForCompiler(token.NewFileSet(), "source", nil)

// impurities type-checks a package and says what in it may depend on anything
// but its inputs.
func impurities(fset *token.FileSet, files []*ast.File) ([]string, error) {
	info := &types.Info{
		Types: make(map[ast.Expr]types.TypeAndValue),
		Uses:  make(map[*ast.Ident]types.Object),
	}
	config := types.Config{Importer: standard}
	if _, err := config.Check("swim", fset, files, info); err != nil {
		return nil, err
	}
	var found []string
	complain := func(at ast.Node, format string, args ...any) {
		found = append(found, fmt.Sprintf("%v: %s", fset.Position(at.Pos()), fmt.Sprintf(format, args...)))
	}
	for _, file := range files {
		name := filepath.Base(fset.Position(file.Pos()).Filename)
		for _, spec := range file.Imports {
			if path, _ := strconv.Unquote(spec.Path.Value); !mayImport(name, path) {
				complain(spec, "imports %s: the protocol may not know about it", path)
			}
		}
		for node := range ast.Preorder(file) {
			if complaint := impurity(info, node); complaint != "" {
				complain(node, "%s", complaint)
			}
		}
	}
	return found, nil
}

func mayImport(file, path string) bool {
	if path == "net/netip" {
		return file == "identity.go" // where addresses of packets become addresses of members
	}
	return slices.Contains(pureImports, path)
}

// impurity says what is wrong with one node, regardless of those below it.
func impurity(info *types.Info, node ast.Node) string {
	switch node := node.(type) {
	case *ast.GoStmt:
		return "starts a goroutine: the driver decides what runs when"
	case *ast.ChanType, *ast.SelectStmt, *ast.SendStmt:
		return "uses a channel: the protocol neither waits nor is waited for"
	case *ast.UnaryExpr:
		if node.Op == token.ARROW {
			return "uses a channel: the protocol neither waits nor is waited for"
		}
	case *ast.RangeStmt:
		if hasMap(info.TypeOf(node.X)) {
			return "ranges over a map: its order differs from run to run"
		}
	case *ast.Ident:
		return impureUse(info.Uses[node])
	}
	return ""
}

// impureUse says what is wrong with using an object of another package.
func impureUse(obj types.Object) string {
	if builtin, ok := obj.(*types.Builtin); ok && strings.HasPrefix(builtin.Name(), "print") {
		return "prints: only a Runtime has effects"
	}
	if isRandMethod(obj) && obj.Name() != "Uint64" {
		return fmt.Sprintf("calls rand.Rand.%s: another machine or release of Go may draw other numbers; use below", obj.Name())
	}
	if obj == nil || obj.Pkg() == nil || obj.Parent() != obj.Pkg().Scope() {
		return "" // of no package, a method, a field, or local
	}
	path := obj.Pkg().Path()
	if allowed, ok := pureNames[path]; ok && !slices.Contains(allowed, obj.Name()) {
		return fmt.Sprintf("uses %s.%s: it is no function of its arguments, or not needed here", path, obj.Name())
	}
	return ""
}

// isRandMethod reports whether an object is a method of rand.Rand.
func isRandMethod(obj types.Object) bool {
	f, ok := obj.(*types.Func)
	if !ok || f.Signature().Recv() == nil {
		return false
	}
	t := f.Signature().Recv().Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := t.(*types.Named)
	return ok && named.Obj().Name() == "Rand" && named.Obj().Pkg().Path() == "math/rand/v2"
}

// hasMap reports whether values of the type are, or may be, maps.
func hasMap(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Map:
		return true
	case *types.Interface: // of a type parameter
		return slices.ContainsFunc(slices.Collect(u.EmbeddedTypes()), hasMap)
	case *types.Union:
		for term := range u.Terms() {
			if hasMap(term.Type()) {
				return true
			}
		}
	}
	return false
}

func TestPurityCheckFindsEveryImpurity(t *testing.T) {
	for _, test := range []struct{ name, source, want string }{
		{"core.go", `import "net/netip"; var _ netip.Addr`, "imports net/netip"},
		{"core.go", `import "sync"; var _ sync.Mutex`, "imports sync"},
		{"core.go", `import _ "unsafe"`, "imports unsafe"},
		{"core.go", `import "time"; var _ = time.Now`, "uses time.Now"},
		{"core.go", `import clock "time"; var _ = clock.Since`, "uses time.Since"},
		{"core.go", `import . "time"; func f() { Sleep(1) }`, "uses time.Sleep"},
		{"core.go", `import "time"; var _ *time.Timer`, "uses time.Timer"},
		{"core.go", `import "math/rand/v2"; var _ = rand.IntN(6)`, "uses math/rand/v2.IntN"},
		{"core.go", `import "math/rand/v2"; var _ = rand.N(int64(6))`, "uses math/rand/v2.N"},
		{"core.go", `import "math/rand/v2"; func f(r *rand.Rand) int { return r.IntN(6) }`, "calls rand.Rand.IntN"},
		{"core.go", `import "math/rand/v2"; type s struct{ *rand.Rand }; func f(x s) { x.Shuffle(2, nil) }`, "calls rand.Rand.Shuffle"},
		{"core.go", `import "math/rand/v2"; var _ = (*rand.Rand).Perm`, "calls rand.Rand.Perm"},
		{"core.go", `import "fmt"; func f() { fmt.Println() }`, "uses fmt.Println"},
		{"core.go", `import "maps"; func f(m map[int]int) { for range maps.Keys(m) {} }`, "uses maps.Keys"},
		{"core.go", `func f() { println() }`, "prints"},
		{"core.go", `func f() { go f() }`, "starts a goroutine"},
		{"core.go", `var _ chan int`, "uses a channel"},
		{"core.go", `func f() { select {} }`, "uses a channel"},
		{"core.go", `func f(m map[int]int) { for range m {} }`, "ranges over a map"},
		{"core.go", `type index map[int]int; type s struct{ i index }; func f(x s) { for range x.i {} }`, "ranges over a map"},
		{"core.go", `func f[M ~map[int]int](m M) { for range m {} }`, "ranges over a map"},
		{"core.go", `func f[M interface{ comparable; any }](m M) { for range 3 {} }`, ""},
		{"core.go", `func f(s []int) { for range s {}; for range 3 {}; for range "x" {} }`, ""},
		{"core.go", `import ("math/rand/v2"; "time"); func f(r *rand.Rand) time.Duration { return time.Duration(r.Uint64()).Round(time.Second) }`, ""},
		{"identity.go", `import "net/netip"; var _ netip.Addr`, ""},
	} {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, test.name, "package swim; "+test.source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", test.source, err)
		}
		found, err := impurities(fset, []*ast.File{file})
		if err != nil {
			t.Fatalf("%s: %v", test.source, err)
		}
		switch {
		case test.want == "" && len(found) > 0:
			t.Errorf("%s: found %q", test.source, found)
		case test.want != "" && !strings.Contains(strings.Join(found, "\n"), test.want):
			t.Errorf("%s: found %q, want %q", test.source, found, test.want)
		}
	}
}
