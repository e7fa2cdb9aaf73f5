// Package swim is the protocol: SWIM membership with suspicion, spread by
// gossip, with identities that can be renewed and payloads of the owner's.
//
// A [Core] is the protocol as a value. It has no goroutine, no clock, no
// socket and no randomness of its own: packets and timer events go in, and
// what it decides comes out through a [Runtime]. Feed it anything, any number
// of times; then carry out what it asked for. A driver's whole loop:
//
//	out := swim.NewOutbox[swim.ID](clock)
//	for {
//		select {
//		case p := <-packets:
//			core.HandleData(p, out)
//		case <-alarm.C:
//		}
//		for event := range out.Due() {
//			core.HandleTimer(event, out)
//		}
//		// send out.Packets, publish out.Notifications
//		out.Reset()
//		alarm.Reset(out.Wake())
//	}
//
// Most programs want [github.com/selkie-go/selkie.Node], which is a core with
// a socket, a clock and one goroutine that owns it.
//
// # Departures from the paper
//
// The paper is "SWIM: Scalable Weakly-consistent Infection-style Process Group
// Membership Protocol", Das, Gupta, Motivala, 2002. Differences, with the
// reason of each, are listed in docs/protocol.md; the important ones:
//
//   - A member that was declared down and had refuted before it heard the
//     verdict comes back; the owner of an identity has the last word on it.
//   - A verdict needs two accusers. With one, the member is down for our owner
//     alone, and stays a suspect for everybody else: it may be us who is cut
//     off.
//   - Whoever holds a suspicion runs its deadline, and every packet to a
//     suspect tells it.
//   - Left is a state of its own: a goodbye is not a failure.
//   - Seeds are contacted for ever, and those who are down until they are
//     forgotten: partitions heal.
//   - A process that stood still, or hears nobody, suspects itself, not the
//     others.
//
// Of "Lifeguard: Local Health Awareness for More Accurate Failure Detection",
// Dadgar, Phillips, Currey, 2018, all parts are there: probes that slow down
// while they fail, nacks, suspicions that confirmations shorten, and pings that
// tell a suspect.
//
// [Paper] switches off all of them but Left and renewal.
package swim
