// Package bench measures selkie and other implementations side by side: the
// same members, the same news, the same machine. It is a module of its own, so
// that nobody else has to know the others.
//
//	go test -run '^$' -bench . -count 5
package bench
