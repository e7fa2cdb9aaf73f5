//go:build mutants

package main

import (
	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/sealed"
)

// planting says whether bugs can be planted in this program.
const planting = true

// plantables returns the bugs that can be planted: those of cores, then those of
// boxes.
func plantables() []plantable {
	var all []plantable
	for m := range swim.Mutants() {
		all = append(all, plantable{m.Number, m.Name, m.Does, m.Breaks})
	}
	cores := len(all)
	for m := range sealed.Mutants() {
		all = append(all, plantable{cores + m.Number, m.Name, m.Does, m.Breaks})
	}
	return all
}

// plant plants a bug by its number, in place of the one before; 0 is none.
func plant(number int) {
	cores := 0
	for range swim.Mutants() {
		cores++
	}
	swim.Plant(0)
	sealed.Plant(0)
	if number <= cores {
		swim.Plant(number)
	} else {
		sealed.Plant(number - cores)
	}
}
