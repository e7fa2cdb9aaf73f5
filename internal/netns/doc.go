// Package netns has tests only: clusters of real processes with real sockets, each
// process in a network namespace of its own, joined by a bridge in yet another
// one, in which packets get lost in whatever way a test wants. They validate what
// simulations of the same faults say.
//
// The tests need Linux, root, and the commands ip and nft (the Debian packages
// iproute2 and nftables); they are skipped where one of these is missing, and with
// -short. No namespace has a name on the machine, and no packet leaves them: they
// end with the process of the test, however that ends.
package netns
