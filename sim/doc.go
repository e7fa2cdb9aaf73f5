// Package sim runs whole clusters in one goroutine under virtual time.
//
// A [World] is a clock, a network and some nodes, each of which drives a
// [swim.Core], the same code that runs in production. Hours pass in seconds,
// everything that goes wrong is drawn from a seed, and the same seed gives the
// same run on every machine. Its fields and methods are its faults: assign, then
// run.
//
//	w := sim.New(1, sim.LAN)
//	w.Grow(5)
//	w.Run(10 * time.Second)
//	cut := w.Partition(sim.Nodes(0, 1), sim.Nodes(2, 3, 4))
//	w.Run(time.Minute)
//	cut.End()
//	w.Run(2 * time.Minute)
//
// Every node is watched after every step: a promise of the protocol that does
// not hold is in [World.Violations]. What the owner of a node would do when
// members come and go is in [Node.OnNotify], so that a program that reacts to
// partitions can be tested together with what makes them.
//
// What goes wrong can be drawn as well: [Draw] makes a [Plan] of a seed, and
// [Plan.Run] carries it out. Of a plan that breaks a promise, [Shrink] leaves
// what matters, [TextTrace] and [JSONTrace] write down what happens, and a
// [Recorder] explains afterwards how it came to be:
//
//	small, _ := sim.Shrink(plan, "S1", nil)
//	var recorder sim.Recorder
//	run := small.Begin(recorder.Trace)
//	run.World.Halt = func(v sim.Violation) bool { return v.Invariant == "S1" }
//	for _, v := range run.Run().Violations {
//		fmt.Print(recorder.Explain(v))
//	}
//
// A World is not safe for concurrent use; several may run side by side.
package sim
