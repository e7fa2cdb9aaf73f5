// Package selkie tells every member of a cluster who else is alive, within
// seconds and without a server to ask.
//
// A [Node] is one member. It probes the others, is probed by them, and hears
// from them what they found out: the protocol is SWIM, in package swim. This
// is a whole member, which finds the cluster through any other one:
//
//	node, err := selkie.Start(ctx, selkie.Config{
//		Bind:  netip.MustParseAddrPort("10.0.0.7:7946"),
//		Seeds: []string{"10.0.0.5:7946", "10.0.0.6:7946"},
//	})
//	if err != nil {
//		return err
//	}
//	defer node.Close()
//	for event := range node.Watch(ctx) {
//		fmt.Println(event.Kind, event.Member)
//	}
//
// [Node.Members] lists everybody at any time, with the name and tags that each
// gave itself. [Node.Watch] tells what happens: members come up, are declared down
// with the cause, leave, or return under the same address as a new life.
// [Node.Broadcast] has a small payload told to all, [Node.Send] hands one to a
// single member. [Node.Leave] says goodbye, so that nobody mourns; with
// [Config.DataDir] a member that was away finds back by itself.
//
// What one member believes may be wrong for a while, and two members may
// believe different things; they agree soon after the network lets them. There
// is no leader and no quorum here: to decide something only once, use a
// system for consensus.
//
// With [Config.Keys] all that travels is encrypted and authenticated, and keys can
// be replaced while the cluster runs. Without, everybody who can send a packet can
// take part: bind to networks that you trust. docs/security.md says what holds and
// what does not, docs/operations.md how to run a cluster.
//
// Nothing is global, nothing is logged unless [Config.Log] is set, no
// goroutine runs before [Start] or after [Node.Close].
package selkie
