//go:build mutants

package main

import (
	"context"

	"github.com/selkie-go/selkie/swim"
)

// mutants looks for all bugs that can be planted.
func (a *app) mutants(ctx context.Context, h *hunt) error {
	var all []plantable
	for m := range swim.Mutants() {
		all = append(all, plantable{m.Number, m.Name, m.Does, m.Breaks})
	}
	return a.hunt(ctx, h, all, swim.Plant)
}
