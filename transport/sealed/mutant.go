package sealed

// A mutant is a bug that is planted on purpose, to prove that a simulation would
// notice it, as in package swim: a condition where the bug would be, which the
// compiler removes without the build tag "mutants".
type mutant uint8

const (
	noMutant mutant = iota

	forgetCounters
	refuseLate
	admitRecordings
	admitOlder
	keepRetired
	sealAsBefore

	numMutants
)
