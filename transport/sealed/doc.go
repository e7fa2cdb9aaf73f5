// Package sealed encrypts and authenticates what travels between processes
// that share a [Key]: datagrams in a [Box], streams in a [Stream]. It has no
// socket, clock or randomness of its own, so that a simulation runs the same
// code as a node does.
//
// A sealed datagram is 50 bytes longer than what it carries, or 58 with a
// cookie:
//
//	0       1       2         6        10        18        26             34
//	+-------+-------+---------+--------+---------+---------+--------------+- - - - -+------------+- - -+
//	| 0x30  | flags | cluster | key id | session | counter | introduction | cookie  | ciphertext | tag |
//	+-------+-------+---------+--------+---------+---------+--------------+- - - - -+------------+- - -+
//	                                                                        8, if the               16
//	                                                                        flags say so
//
// Cluster and key id are the first 4 bytes of SHA-256 of the name and of the
// key. The session is drawn at random by the process that seals; its counters
// begin at a multiple of 2^32 that is drawn at random too, and then count. The
// low half of the flags is the channel, a number of the owner's; the highest bit
// says that there is a cookie. Numbers are big endian.
//
// The body is sealed with AES-256-GCM under a key of the session: HKDF-SHA-256 of
// the shared key, with the session as salt and "selkie 1 datagrams of " and the
// name of the cluster as info. The nonce is 4 zeros and the counter. So no two
// processes use one key with one nonce. All that is in clear is authenticated
// with it, with zeros in the place of the introduction.
//
// The introduction is SipHash-2-4 of what stands between the flags and it, then
// the cookie, the tag, and the first two bytes, under a key that follows from the
// shared one by HKDF, without salt and with the info "selkie 1 introduction". It
// says for some tens of nanoseconds whether a packet is worth more: who does not
// have the shared key can make us derive one for a session only by recordings,
// and for sessions that have no window only a thousand of them a second. That of
// a session which we do not let in displaces no other.
//
// # What is accepted, and how often
//
// A receiver keeps a window of the counters that it has seen for each session,
// and never forgets one while it could be needed, so that it accepts each
// packet once. A session that it has no window for is let in at once if its packet
// names the life of the receiver: then it was not recorded before this process
// began. Otherwise, as with all that asks an address to let it in, and if windows
// had to be given up, the packet is dropped and a challenge goes back, 42 bytes
// with a cookie that only who receives at that address learns; the sender seals
// what it still has of the packet once more with the cookie, and so nothing is
// lost. A challenge is smaller than what it answers.
//
// What a session sealed before the packet that it was let in with may be a
// recording too, and needs a cookie as if the session was not known. A cookie is
// good for 30 to 60 seconds; a packet with one that is not good, or was somebody
// else's, is refused, because it is the copy of one that was sent to us as well.
//
// Whose a session is, and for whom a packet is meant, is read from what was
// sealed (Config.Parties): so both identities are authenticated, and cost no
// byte. A packet for an earlier life of the receiver is handed over if its
// session is known to be alive, because the protocol has an answer to it.
//
// # What this does not do
//
// Everybody with the key is trusted. A member can pretend to be another one, and
// a stream may end at another member than was dialled. Recordings can be read by
// who gets the key later: there is no forward secrecy. How much is said, when and
// between whom is visible. Who can hold packets back can deliver them late, once,
// up to as long as the process they were meant for lives.
//
// A process must not go on twice from one state, as a virtual machine does that
// is restored from a snapshot of its memory: both would use the same nonces.
package sealed
