package sim

import (
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A Profile is a configuration and the network that it is for.
type Profile struct {
	Name   string
	Wire   Wire
	Config swim.Config
	// Links are those between the regions of the nodes: from, to.
	Links [][]Link
}

// LAN is one data centre: half of all packets take 0.3 ms, one in a hundred
// longer than 1 ms.
var LAN = Profile{Name: "lan", Config: swim.LAN(0), Links: oneRegion(300*time.Microsecond, time.Millisecond)}

// WAN is five regions, 20 to 150 ms from one to the other.
var WAN = Profile{Name: "wan", Config: swim.WAN(0), Links: fiveRegions()}

// Local is one machine.
var Local = Profile{Name: "local", Config: swim.Local(), Links: oneRegion(30*time.Microsecond, 200*time.Microsecond)}

// Paper is the protocol of 2002 in the data centre of today.
var Paper = Profile{Name: "paper", Config: swim.Paper(), Links: oneRegion(300*time.Microsecond, time.Millisecond)}

// Profiles are all of them.
func Profiles() []Profile { return []Profile{LAN, WAN, Local, Paper} }

func oneRegion(typical, tail time.Duration) [][]Link {
	return [][]Link{{{Latency: Latency{Lognormal, typical, tail}}}}
}

// fiveRegions lie on a line: the outermost are 150 ms apart, neighbours 20 ms
// and more.
func fiveRegions() [][]Link {
	const ms = time.Millisecond
	oneWay := [5][5]time.Duration{
		{0, 20 * ms, 45 * ms, 90 * ms, 150 * ms},
		{20 * ms, 0, 30 * ms, 75 * ms, 130 * ms},
		{45 * ms, 30 * ms, 0, 50 * ms, 110 * ms},
		{90 * ms, 75 * ms, 50 * ms, 0, 60 * ms},
		{150 * ms, 130 * ms, 110 * ms, 60 * ms, 0},
	}
	links := make([][]Link, len(oneWay))
	for i, row := range oneWay {
		for _, d := range row {
			l := Link{Latency: Latency{Lognormal, d, d + d/4}}
			if d == 0 {
				l.Latency = LAN.Links[0][0].Latency
			}
			links[i] = append(links[i], l)
		}
	}
	return links
}

// watched returns the profile with what the chronicle wants to be told.
func (p Profile) watched() Profile {
	p.Config.Notify.Suspect, p.Config.Notify.Updated = true, true
	return p
}
