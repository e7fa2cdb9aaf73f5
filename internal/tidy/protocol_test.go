package tidy

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// Rules are looked up by their number, so each has one place.
func TestProtocolDocumentHasEveryRuleOnce(t *testing.T) {
	for _, complaint := range unlisted(string(read(t, "docs/protocol.md"))) {
		t.Error(complaint)
	}
	var text strings.Builder
	for _, rule := range rules() {
		if strings.HasPrefix(rule, "D") {
			rule = "- **" + rule + "**"
		} else {
			rule += "."
		}
		text.WriteString(rule + " What it says.\n")
	}
	whole := text.String()
	wantFound(t, "all rules", unlisted(whole), "")
	wantFound(t, "one less", unlisted(strings.Replace(whole, "\n42.", "\n", 1)), "rule 42 stands 0 times")
	wantFound(t, "one twice", unlisted(whole+"- **D3** Again.\n"), "rule D3 stands 2 times")
}

var listed = regexp.MustCompile(`(?m)^(?:(\d+)\.|- \*\*(D\d+)\*\*) `)

// unlisted says which rules a document does not list exactly once.
func unlisted(text string) []string {
	times := make(map[string]int)
	for _, match := range listed.FindAllStringSubmatch(text, -1) {
		times[match[1]+match[2]]++
	}
	var found []string
	for _, rule := range rules() {
		if times[rule] != 1 {
			found = append(found, fmt.Sprintf("docs/protocol.md: rule %s stands %d times", rule, times[rule]))
		}
	}
	return found
}
