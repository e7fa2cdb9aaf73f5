package swim

// A priority says which updates go first.
type priority uint8

// The priorities, most urgent first. Our own record is none of them: it is no
// member of the roster.
const (
	prioRefute  priority = iota // an alive that refutes a suspicion
	prioDown                    // a member is down or left
	prioSuspect                 // a member is doubted
	prioAlive                   // any other news
	numPriorities
)
