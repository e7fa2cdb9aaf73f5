//go:build mutants

package main

import "github.com/selkie-go/selkie/swim"

// planting says whether bugs can be planted in this program.
const planting = true

// plantables returns the bugs that can be planted.
func plantables() []plantable {
	var all []plantable
	for m := range swim.Mutants() {
		all = append(all, plantable{m.Number, m.Name, m.Does, m.Breaks})
	}
	return all
}

// plant plants a bug by its number, in place of the one before; 0 is none.
func plant(number int) { swim.Plant(number) }
