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
	want.Rules = swim.Rules{FinalDown: true, SoleVerdict: true, SilentRelay: true, SilentPing: true, SilentDigest: true}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	silent := swim.Config{Rules: swim.Rules{SilentDigest: true}}.WithDefaults()
	if got := Protocol(swim.LAN(10)).Transmissions; got != silent.Transmissions {
		t.Errorf("news are told %+v times, want %+v", got, silent.Transmissions)
	}
	own := swim.Scale{Factor: 7}
	if got := Protocol(swim.Config{Transmissions: own}).Transmissions; got != own {
		t.Errorf("news are told %+v times, want %+v", got, own)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
}
