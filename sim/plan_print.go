package sim

import (
	"fmt"
	"strings"
)

// String returns the plan as text: a line about the cluster, one about how its
// configuration differs from that of the profile, and one for each fault.
func (p Plan) String() string {
	var b strings.Builder
	usual := p.usual()
	fmt.Fprintf(&b, "seed %d  profile %s  nodes %d  form %v  for %v", p.Seed, p.profile().Name, p.Nodes, p.Form, p.For)
	if p.Wire != WirePlain {
		fmt.Fprintf(&b, "  wire %v", p.Wire)
	}
	if p.Core != nil {
		fmt.Fprintf(&b, "  core %v", p.Core)
	}
	if changed := odd(p.Config, usual); len(changed) > 0 {
		fmt.Fprintf(&b, "\nconfig  %s", strings.Join(changed, "  "))
	}
	for i := range p.Faults {
		f := &p.Faults[i]
		fmt.Fprintf(&b, "\n%-8s %v", f.Name, f)
		if f.Link != nil {
			writeAll(&b, odd(*f.Link, usual))
		}
		if f.Config != nil {
			writeAll(&b, odd(*f.Config, usual))
		}
	}
	b.WriteByte('\n')
	return b.String()
}

func writeAll(b *strings.Builder, words []string) {
	for _, word := range words {
		fmt.Fprintf(b, "  %s", word)
	}
}
