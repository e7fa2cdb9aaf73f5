//go:build !mutants

package main

// planting says whether bugs can be planted in this program.
const planting = false

// plantables returns nothing.
func plantables() []plantable { return nil }

// plant does nothing.
func plant(int) {}
