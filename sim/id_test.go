package sim

import (
	"testing"

	"github.com/selkie-go/selkie/swim/swimtest"
)

func TestIdentityAndCodecKeepTheirLaws(t *testing.T) {
	ids := []ID{{0, 0}, {0, 1}, {0, 2}, {7, 1}, {7, 1<<32 - 1}}
	swimtest.Identity(t, ids...)
	swimtest.Codec(t, codec, ids...)
}
