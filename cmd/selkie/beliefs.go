package main

// beliefs are what an agent holds of every member, by address, as its events
// tell. They are nil until a snapshot has come, which everything follows on.
type beliefs map[string]memberInfo

// learn returns the beliefs after an event.
func (b beliefs) learn(e eventInfo) beliefs {
	switch {
	case e.Kind == "snapshot":
		b = make(beliefs, len(e.Members))
		for _, m := range e.Members {
			b[m.Addr] = m
		}
	case e.Kind == kindMessage || e.Kind == kindBroadcast:
	case b != nil:
		b[e.Addr] = e.member()
	}
	return b
}

// alive returns how many members are alive.
func (b beliefs) alive() int {
	count := 0
	for _, m := range b {
		if m.State == "alive" {
			count++
		}
	}
	return count
}
