//go:build !mutants

package sealed

// planted is the bug that was planted: none.
const planted = noMutant
