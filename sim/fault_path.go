package sim

import "fmt"

// impairBy lets the link of a fault apply.
func (w *World) impairBy(f *Fault) []*Impairment {
	if f.Link == nil {
		return nil
	}
	return []*Impairment{w.Impair(f.Name, f.Nodes, f.To, *f.Link)}
}

// partitionBy cuts the groups of a fault apart.
func (w *World) partitionBy(f *Fault) []*Impairment { return w.Partition(f.Groups...).cuts }

// ringBy leaves to each of some nodes the paths to its next ones on both sides.
// Beyond them it reaches the others by way of those only.
func (w *World) ringBy(f *Fault) []*Impairment {
	nodes := f.Nodes
	if nodes == nil {
		for _, n := range w.nodes {
			nodes = append(nodes, n.number)
		}
	}
	var cuts []*Impairment
	for i, from := range nodes {
		var far Set
		for j, to := range nodes {
			apart := max(i-j, j-i)
			if min(apart, len(nodes)-apart) > int(max(f.Amount, 1)) {
				far = append(far, to)
			}
		}
		if far != nil {
			cuts = append(cuts, w.Impair(fmt.Sprint(f.Name, i), Nodes(from), far, Link{Cut: true}))
		}
	}
	return cuts
}
