package foca

import (
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

func TestProtocolKeepsWhatElseWasConfigured(t *testing.T) {
	before := swim.Config{Period: 2 * time.Second, Rules: swim.Rules{SilentPing: true}, Confirmations: 3}
	got := Protocol(before)
	want := before
	want.Confirmations = swim.Off
	want.Rules = swim.Rules{FinalDown: true, SoleVerdict: true, SilentRelay: true, SilentPing: true}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
}
