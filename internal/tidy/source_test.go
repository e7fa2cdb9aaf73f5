package tidy

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestEveryFileIsFormatted(t *testing.T) {
	for _, s := range sources(t, ".go") {
		for _, complaint := range unformatted(s) {
			t.Error(complaint)
		}
	}
	wantFound(t, "a file", unformatted(parse(t, "a.go", "package a\n\nvar b int\n")), "")
	wantFound(t, "a careless file", unformatted(parse(t, "a.go", "package  a\n")), "gofmt")
}

func unformatted(s source) []string {
	want, err := format.Source(s.text)
	if err != nil || !bytes.Equal(want, s.text) {
		return []string{s.path + ": run gofmt"}
	}
	return nil
}

// A test that sleeps is slow when it passes and wrong when the machine is busy.
func TestNoTestSleepsOutsideFakeTime(t *testing.T) {
	for _, s := range sources(t, "_test.go") {
		for _, complaint := range sleeps(s) {
			t.Error(complaint)
		}
	}
	const sleep = `func f() { time.Sleep(1) }`
	wantFound(t, "a sleeper", sleeps(parse(t, "a_test.go", `package a; import "time"; `+sleep)), "sleeps")
	wantFound(t, "a renamed sleeper", sleeps(parse(t, "a_test.go", `package a; import t "time"; var f = t.Sleep`)), "sleeps")
	wantFound(t, "fake time", sleeps(parse(t, "a_test.go", `package a; import ("testing/synctest"; "time"); `+sleep)), "")
	wantFound(t, "somebody else", sleeps(parse(t, "a_test.go", `package a; import "bed"; func f() { bed.Sleep() }`)), "")
}

// sleeps finds time.Sleep in a file that does not use package synctest.
func sleeps(s source) []string {
	clock := ""
	for _, spec := range s.ast.Imports {
		switch path, _ := strconv.Unquote(spec.Path.Value); path {
		case "testing/synctest":
			return nil
		case "time":
			clock = "time"
			if spec.Name != nil {
				clock = spec.Name.Name
			}
		}
	}
	var found []string
	for node := range ast.Preorder(s.ast) {
		if call, ok := node.(*ast.SelectorExpr); ok && call.Sel.Name == "Sleep" {
			if of, ok := call.X.(*ast.Ident); ok && of.Name == clock {
				found = append(found, fmt.Sprintf("%v: sleeps; wait for what you want to see, or use testing/synctest", s.fset.Position(call.Pos())))
			}
		}
	}
	return found
}

func TestEveryExportedNameIsDocumented(t *testing.T) {
	documented := make(map[string]bool) // packages, by directory
	for _, s := range sources(t, ".go") {
		if s.isTest() {
			continue
		}
		documented[s.room()] = documented[s.room()] || s.ast.Doc != nil
		for _, complaint := range undocumented(s) {
			t.Error(complaint)
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s: no file has a package comment", dir)
		}
	}
}

// undocumented finds exported names of a package without a comment that begins
// with them.
func undocumented(s source) []string {
	var found []string
	want := func(name *ast.Ident, docs ...*ast.CommentGroup) {
		if name.IsExported() && !speaksOf(name.Name, docs) {
			found = append(found, fmt.Sprintf("%v: %s has no comment that begins with its name", s.fset.Position(name.Pos()), name.Name))
		}
	}
	for _, decl := range s.ast.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv == nil || receiver(decl.Recv.List[0].Type).IsExported() {
				want(decl.Name, decl.Doc)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					want(spec.Name, spec.Doc, decl.Doc)
				case *ast.ValueSpec:
					if grouped(decl, spec) {
						continue
					}
					for _, name := range spec.Names {
						want(name, spec.Doc, decl.Doc)
					}
				}
			}
		}
	}
	return found
}

// grouped reports whether a constant or variable has a comment behind it, or
// is one of several that share one.
func grouped(decl *ast.GenDecl, spec *ast.ValueSpec) bool {
	return spec.Comment != nil || decl.Lparen.IsValid() && decl.Doc != nil
}

// receiver returns the name of the type that a method belongs to.
func receiver(t ast.Expr) *ast.Ident {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t
	}
	return ast.NewIdent("_")
}

// speaksOf reports whether one of the comments begins with the name, or with
// an article and the name.
func speaksOf(name string, docs []*ast.CommentGroup) bool {
	begins := regexp.MustCompile(`^((A|An|The) )?` + name + `\b`)
	for _, doc := range docs {
		if doc != nil && begins.MatchString(strings.TrimSpace(doc.Text())) {
			return true
		}
	}
	return false
}

func TestDocumentationCheckFindsEveryMissingComment(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"func F() {}", "F has no comment"},
		{"// Does something.\nfunc F() {}", "F has no comment"},
		{"// Fast is another word.\nfunc F() {}", "F has no comment"},
		{"// F does something.\nfunc F() {}", ""},
		{"func f() {}", ""},
		{"type T int", "T has no comment"},
		{"// A T is something.\ntype T int", ""},
		{"type t int\nfunc (*t) F() {}", ""},
		{"// A T is something.\ntype T[A, B any] struct{}\nfunc (t *T[A, B]) F() {}", "F has no comment"},
		{"const C = 1", "C has no comment"},
		{"const C = 1 // of them", ""},
		{"var (\n\tA = 1\n)", "A has no comment"},
		{"// The letters.\nvar (\n\tA = 1\n\tB = 2\n)", ""},
		{"var (\n\t// A is the first.\n\tA = 1\n)", ""},
	} {
		wantFound(t, test.text, undocumented(parse(t, "a.go", "package a\n\n"+test.text+"\n")), test.want)
	}
}
