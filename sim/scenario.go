package sim

// A Scenario is a story that goes the same way with every seed, which decides
// no more than the luck in it.
type Scenario struct {
	Name string // lower-case words with hyphens
	Text string // what happens, and what must hold, as a sentence
	Run  func(seed uint64, trace func(Event)) Result
}

// Scenarios returns all of them.
func Scenarios() []Scenario { return nil }
