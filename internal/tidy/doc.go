// Package tidy holds the rules of the house as tests: which package may know
// which, what is documented, and which rule of the protocol is tested where.
// It has no code of its own.
package tidy
