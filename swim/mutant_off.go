//go:build !mutants

package swim

// planted is the bug that was planted: none.
const planted = noMutant
