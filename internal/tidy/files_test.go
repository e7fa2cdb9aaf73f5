package tidy

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Whoever imports the library gets the library and nothing else.
func TestRootModuleRequiresNothing(t *testing.T) {
	for _, complaint := range requirements(read(t, "go.mod")) {
		t.Error(complaint)
	}
	const head = "module m // require nothing\n\ngo 1.26.0\n"
	wantFound(t, "a good file", requirements([]byte(head)), "")
	for _, line := range []string{"require a.b/c v1.0.0", "require (", "replace a.b/c => ../c", "tool a.b/c"} {
		wantFound(t, line, requirements([]byte(head+line+"\n")), line)
	}
}

// requirements finds the lines of a go.mod file that bring in other modules.
func requirements(mod []byte) []string {
	var found []string
	for line := range bytes.Lines(mod) {
		line := strings.TrimSpace(string(line))
		if word, _, _ := strings.Cut(line, " "); slices.Contains([]string{"require", "replace", "tool"}, word) {
			found = append(found, "go.mod: "+line)
		}
	}
	return found
}

// A map that does not fit on a few pages is not read.
func TestArchitectureStaysShort(t *testing.T) {
	for _, complaint := range tooLong("ARCHITECTURE.md", read(t, "ARCHITECTURE.md"), 150) {
		t.Error(complaint)
	}
	wantFound(t, "two lines", tooLong("a", []byte("1\n2\n"), 2), "")
	wantFound(t, "three lines", tooLong("a", []byte("1\n2\n3"), 2), "3 lines")
}

func tooLong(name string, text []byte, limit int) []string {
	lines := bufio.NewScanner(bytes.NewReader(text))
	n := 0
	for lines.Scan() {
		n++
	}
	if n > limit {
		return []string{fmt.Sprintf("%s has %d lines; %d are enough", name, n, limit)}
	}
	return nil
}
