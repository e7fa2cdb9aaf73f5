// Package sealed encrypts and authenticates what travels between members that
// share a key.
package sealed
