package tidy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the way from this package to the top of the repository.
const root = "../.."

// A source is a file of the repository.
type source struct {
	path string // from the top of the repository, with slashes
	text []byte
	// ast and fset are those of a Go file, else nil.
	ast  *ast.File
	fset *token.FileSet
}

// room is the directory that the file is in; "." is the top.
func (s source) room() string {
	if i := strings.LastIndexByte(s.path, '/'); i >= 0 {
		return s.path[:i]
	}
	return "."
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// parse makes a source of a text.
func parse(t *testing.T, path, text string) source {
	t.Helper()
	s := source{path: path, text: []byte(text)}
	if strings.HasSuffix(path, ".go") {
		s.fset = token.NewFileSet()
		file, err := parser.ParseFile(s.fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		s.ast = file
	}
	return s
}

// sources returns all files whose names end so, of all modules, except those
// that belong to tools.
func sources(t *testing.T, ending string) []source {
	t.Helper()
	var found []source
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != root && strings.HasPrefix(name, ".") || path == filepath.Join(root, "bin") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ending) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		found = append(found, parse(t, filepath.ToSlash(rel), string(text)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Without this, checks of files that are not found would pass.
func TestFilesOfEveryModuleAreChecked(t *testing.T) {
	for _, room := range []string{".", "swim", "transport/udp", "bench", "cmd/selkie"} {
		in := func(s source) bool { return s.room() == room }
		for _, ending := range []string{".go", "_test.go"} {
			if !slices.ContainsFunc(sources(t, ending), in) {
				t.Errorf("found no file in %s that ends in %s", room, ending)
			}
		}
	}
}

// wantFound fails unless exactly one complaint was found, and it holds want;
// with an empty want, unless none was.
func wantFound(t *testing.T, about string, found []string, want string) {
	t.Helper()
	switch {
	case want == "" && len(found) > 0:
		t.Errorf("%s: found %q", about, found)
	case want != "" && (len(found) != 1 || !strings.Contains(found[0], want)):
		t.Errorf("%s: found %q, want one with %q", about, found, want)
	}
}
