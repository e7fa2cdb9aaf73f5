package tidy

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// How many rules and departures docs/protocol.md has.
const (
	numRules      = 115
	numDepartures = 20
)

// untested are the rules that no test names yet, and why.
var untested = map[string]string{}

// TestEveryRuleIsNamedByATest looks for comments such as
//
//	// Rule 42.
//	// Rules 31-33, 35 and D8.
//	// D17: a verdict needs company.
//
// in tests, and for the same behind a # in transcripts. It can not tell
// whether the test checks the rule that it names; the reader can.
func TestEveryRuleIsNamedByATest(t *testing.T) {
	named := make(map[string]bool)
	collect := func(s source) {
		if strings.HasPrefix(s.path, "internal/tidy/") {
			return // which only speaks of how rules are named
		}
		for _, comment := range comments(s) {
			for _, rule := range rulesIn(comment) {
				named[rule] = true
			}
		}
	}
	for _, s := range sources(t, "_test.go") {
		collect(s)
	}
	for _, s := range sources(t, ".txt") {
		if strings.HasPrefix(s.path, "swim/testdata/") {
			collect(s)
		}
	}
	for _, complaint := range unnamed(named, untested) {
		t.Error(complaint)
	}
}

// rules returns the names of all rules and departures, in order.
func rules() []string {
	var all []string
	for i := range numRules {
		all = append(all, strconv.Itoa(i+1))
	}
	for i := range numDepartures {
		all = append(all, "D"+strconv.Itoa(i+1))
	}
	return all
}

// unnamed says which rules are neither named nor excused, which excuses are
// out of date, and which names are of no rule.
func unnamed(named map[string]bool, excused map[string]string) []string {
	all := rules()
	var missing, late, unknown []string
	for _, rule := range all {
		switch {
		case !named[rule] && excused[rule] == "":
			missing = append(missing, rule)
		case named[rule] && excused[rule] != "":
			late = append(late, rule)
		}
	}
	for rule := range named {
		if !slices.Contains(all, rule) {
			unknown = append(unknown, rule)
		}
	}
	slices.Sort(unknown)
	var found []string
	for _, list := range []struct {
		what  string
		rules []string
	}{
		{"no test names", missing},
		{"excused, but named by a test:", late},
		{"named by a test, but there is no such", unknown},
	} {
		if len(list.rules) > 0 {
			found = append(found, fmt.Sprintf("%s rule %s", list.what, strings.Join(list.rules, ", ")))
		}
	}
	return found
}

// comments returns the comments of a Go file, or the lines of a transcript
// that begin with #, consecutive lines as one.
func comments(s source) []string {
	var all []string
	if s.ast != nil {
		for _, group := range s.ast.Comments {
			all = append(all, strings.ReplaceAll(group.Text(), "\n", " "))
		}
		return all
	}
	var block strings.Builder
	for line := range bytes.Lines(append(bytes.Clone(s.text), '\n')) {
		if text, ok := strings.CutPrefix(string(line), "#"); ok {
			block.WriteString(strings.TrimSpace(text) + " ")
		} else if block.Len() > 0 {
			all = append(all, block.String())
			block.Reset()
		}
	}
	return append(all, block.String())
}

var (
	ruleList  = regexp.MustCompile(`\b[Rr]ules? (D?\d+(?:(?:-|, and |, | and )D?\d+)*)`)
	ruleRange = regexp.MustCompile(`\b(D?)(\d+)(?:-D?(\d+))?\b`)
	departure = regexp.MustCompile(`\bD\d+(?:-D?\d+)?\b`)
)

// rulesIn returns the rules and departures that a comment names.
func rulesIn(comment string) []string {
	var lists, found []string
	for _, match := range ruleList.FindAllStringSubmatch(comment, -1) {
		lists = append(lists, match[1])
	}
	lists = append(lists, departure.FindAllString(comment, -1)...)
	for _, list := range lists {
		for _, match := range ruleRange.FindAllStringSubmatch(list, -1) {
			first, _ := strconv.Atoi(match[2])
			last := first
			if match[3] != "" {
				last, _ = strconv.Atoi(match[3])
			}
			// Beyond the last rule one number is enough to complain about.
			for n := first; n <= min(last, numRules+1); n++ {
				found = append(found, match[1]+strconv.Itoa(n))
			}
			if first > numRules {
				found = append(found, match[1]+strconv.Itoa(first))
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func TestRulesAreFoundWhereverTheyAreNamed(t *testing.T) {
	for comment, want := range map[string]string{
		"Rule 42.":                          "42",
		"Rules 31-33.":                      "31 32 33",
		"Rules 4-6, 12, 14 and D17, and 9.": "12 14 4 5 6 9 D17",
		"D17: a verdict needs company.":     "D17",
		"Whatever (D8-D10) says.":           "D10 D8 D9",
		"By rule 100 in order.":             "100",
		"Rule 999.":                         "999",
		"SWIM, section 4.2, with 42 nodes.": "",
		"Overrule 5, RD17 and 0xD17.":       "",
	} {
		if got := strings.Join(rulesIn(comment), " "); got != want {
			t.Errorf("%q names %q, want %q", comment, got, want)
		}
	}
	for _, s := range []source{
		parse(t, "a_test.go", "package a\n\n// Rules 1,\n// 2 and 3.\nvar a = \"rule 4\" // Rule 5.\n"),
		parse(t, "a.txt", "# rules 1,\n# 2 and 3\n----\nrule 4\n# rule 5"),
	} {
		if got := rulesIn(strings.Join(comments(s), ". ")); strings.Join(got, " ") != "1 2 3 5" {
			t.Errorf("%s names %v, want 1 2 3 5", s.path, got)
		}
	}
}

func TestMissingRulesAreListed(t *testing.T) {
	named := make(map[string]bool)
	for _, rule := range rules() {
		named[rule] = true
	}
	wantFound(t, "all named", unnamed(named, nil), "")
	delete(named, "42")
	delete(named, "D1")
	wantFound(t, "two missing", unnamed(named, nil), "no test names rule 42, D1")
	excuse := map[string]string{"42": "later", "D1": "later"}
	wantFound(t, "both excused", unnamed(named, excuse), "")
	excuse["D2"] = "later"
	wantFound(t, "a late excuse", unnamed(named, excuse), "excused, but named by a test: rule D2")
	named["D99"] = true
	wantFound(t, "a rule that is none", unnamed(named, map[string]string{"42": "later", "D1": "later"}), "no such rule D99")
}
