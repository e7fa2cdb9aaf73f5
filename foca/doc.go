// Package foca speaks the wire format of foca, the Rust library that selkie is
// modelled after, so that members of both can form one cluster.
//
// [Bincode] is for the identity of foca's example agent, which is an address
// and a number that grows with each life, as [swim.ID] is. [Codec] is for any
// other, given how one is written. [Protocol] has the rules that go with them.
//
//	packet  := src | incarnation | dst | message | [about] | [number u8]
//	         | [count u16 big endian | update*] | payload*
//	update  := id | incarnation | state
//	payload := length u16 big endian | bytes     at least one
//	id      := socket | bump                     as the example agent has it
//	socket  := 0 | 4 octets | port  or  1 | 16 octets | port
//
// All other values are integers of bincode: one below 251 is a byte; 251, 252
// and 253 say that it follows in 2, 4 or 8 bytes, little endian. A value has
// one form, the shortest, and anything else is malformed. So is whatever
// follows an announce or a turn-undead, which have neither updates nor
// payloads. A broadcast has payloads alone. In all others the count is written
// even if it is 0; if nothing at all follows the header, it may be absent when
// a packet is read, as foca has it where there is no room.
//
// # What foca can not say
//
// Some of what members of ours tell each other has no place in this format.
//
//   - Versions of metadata, who accuses, how long somebody is remembered, after
//     which time a nack is wanted, pages of a list, and padding do not travel.
//     They are dropped without a word.
//   - A number is written modulo 256, and an incarnation above 65,535 as
//     65,535. [swim.Limits] keep a core from counting that far.
//   - Who left is down in an update. A sender that says goodbye adds an update
//     about itself, the first of all, and so it must be a message with updates.
//     When a packet is read, an update that says of the sender that it is down
//     is its goodbye, wherever it stands and at whatever incarnation: foca says
//     0 there, and down is final to it. Nobody else can say that the sender is
//     down, so to write such an update is an error.
//   - A turn-undead names neither whom it is about nor an incarnation. When it
//     is read, it is about its receiver, at the highest incarnation there is.
//     foca before 0.17.2 may put payloads behind one, which then is malformed to
//     us, and to foca: it takes the first length for a count.
//   - There is no nack: to write one is an error.
//
// # What was checked
//
// Packets that foca wrote are in testdata: headers of every message, updates and
// whole packets of foca 0.18, with bincode 1 and its DefaultOptions, and packets of
// every message that members of foca sent in a cluster with ours, payloads and a
// goodbye among them. They are read, and written as the same bytes. How a missing
// count is meant was read in the source of foca. foca 0.19 and 1.x use bincode 2
// with its standard configuration, which is built to the same scheme; that was not
// checked.
package foca
