package sim

// A Bug is something wrong that a simulation found: the plan that showed it, as
// small as it could be made, and what it was. The tests carry out all that ever
// were, for ever.
type Bug struct {
	Name      string // lower-case words with hyphens
	Found     string // the day, as 2006-01-02
	Was       string // what was wrong, as a sentence
	Invariant string // the promise that did not hold, such as S1
	Plan      Plan
}
