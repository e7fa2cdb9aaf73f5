package swim

import (
	"fmt"
	"slices"
)

// A payload is one of the owner's broadcasts, still being told.
type payload struct {
	data []byte
	key  Key
	sent int
}

// payloads is the backlog of the owner's broadcasts: those sent least first,
// of these the longest waiting.
type payloads struct {
	items []payload
	// credit is how many bytes payloads may take from the updates. Each packet
	// adds a quarter of itself, so that neither starves the other, and a large
	// payload finds its packet after a few.
	credit  int
	scratch []payload
}

// payloadShare is the part of each packet that is the payloads' for sure: one
// in so many.
const payloadShare = 4

// offer queues a payload, unless one with its name and the same or a higher
// version is queued already.
func (q *payloads) offer(data []byte, key Key, most int) (bool, error) {
	for i, item := range q.items {
		if item.key.Name != key.Name {
			continue
		}
		if item.key.Version >= key.Version {
			return false, nil
		}
		q.items = slices.Delete(q.items, i, i+1)
		break
	}
	if len(q.items) >= most {
		return false, ErrFull
	}
	q.insert(payload{data: slices.Clone(data), key: key})
	return true, nil
}

// insert puts an item behind those that were sent as often.
func (q *payloads) insert(item payload) {
	at := len(q.items)
	for at > 0 && q.items[at-1].sent > item.sent {
		at--
	}
	q.items = slices.Insert(q.items, at, item)
}

// settle notes that the first n items that were taken have been sent. Those
// that were told often enough are done.
func (q *payloads) settle(taken []bool, limit int) {
	sent := q.scratch[:0]
	kept := q.items[:0]
	for i, item := range q.items {
		if i < len(taken) && taken[i] {
			item.sent = min(max(item.sent, 0), MaxTransmissions) + 1
			if item.sent < limit || planted == tellPayloadsForever {
				sent = append(sent, item)
			}
			continue
		}
		kept = append(kept, item)
	}
	clear(q.items[len(kept):])
	q.items = kept
	for _, item := range sent {
		q.insert(item)
	}
	clear(sent)
	q.scratch = sent
}

// AddBroadcast queues a payload to be told to everybody. It is copied. It
// reports false if the handler, or a newer payload of the same name, does not
// want it.
//
// Errors: [ErrNoHandler], [ErrEmpty], [ErrTooBig] if no packet has room for
// it, [ErrFull] at Config.MaxBroadcasts, or the handler's own, wrapped.
func (c *Core[ID, Addr]) AddBroadcast(item []byte, rt Runtime[ID]) (accepted bool, err error) {
	c.enter(rt)
	defer c.exit()
	switch {
	case c.handler == nil:
		return false, ErrNoHandler
	case len(item) == 0:
		return false, ErrEmpty
	case len(item) > c.largestPayload():
		return false, fmt.Errorf("%w: %d bytes, at most %d", ErrTooBig, len(item), c.largestPayload())
	}
	accepted, err = c.receivePayload(item, c.us.id)
	c.settle()
	return accepted, err
}

// largestPayload is the largest one that fits into a packet of its own.
func (c *Core[ID, Addr]) largestPayload() int { return c.cfg.MaxPacket - c.codec.MaxHeader() }

// receivePayload hands a payload to the owner, and spreads it if they say so.
func (c *Core[ID, Addr]) receivePayload(item []byte, from ID) (bool, error) {
	key, spread, err := c.handler.Receive(item, from)
	if err != nil {
		c.stats.HandlerErrors++
		return false, fmt.Errorf("swim: broadcast handler: %w", err)
	}
	if !spread || len(item) > c.largestPayload() {
		return false, nil
	}
	return c.queue.offer(item, key, c.cfg.MaxBroadcasts)
}

// deliver hands the payloads of a packet to the owner. An error about one does
// not keep the others.
func (c *Core[ID, Addr]) deliver(p *Packet[ID]) (first error) {
	if len(p.Payloads) == 0 || p.Header.Message.synchronises() {
		return nil // or they are the protocol's own
	}
	if c.handler == nil {
		return c.drop(DropNoHandler)
	}
	for _, item := range p.Payloads {
		if _, err := c.receivePayload(item, p.Header.Src); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Broadcast sends payloads, and nothing else, to some members now. It sends
// nothing if none is queued. Without an active member, or when we left or are
// down, it is [ErrNotConnected].
func (c *Core[ID, Addr]) Broadcast(rt Runtime[ID]) error {
	c.enter(rt)
	defer c.exit()
	if c.us.phase != connected {
		return ErrNotConnected
	}
	c.sample = c.roster.sample(&c.roster.active, c.cfg.Gossip.Num, c.rnd, c.sample, func(slot uint32) bool {
		return !c.wanted(slot)
	})
	for _, slot := range c.sample {
		if len(c.queue.items) == 0 {
			break
		}
		c.post(slot, Header[ID]{Dst: c.roster.at(slot).id, Message: MessageBroadcast}, c.cfg.MaxPacket, full)
	}
	c.settle()
	return nil
}

// wanted reports whether the owner wants a member to get payloads.
func (c *Core[ID, Addr]) wanted(slot uint32) bool {
	return c.handler != nil && slot != none && c.handler.Wants(c.roster.at(slot).member())
}

// loadPayloads puts payloads into a packet: as many as have room beside the
// updates, or within their share if the updates need all of it. It returns how
// many of the queue it looked at.
func (c *Core[ID, Addr]) loadPayloads(p *Packet[ID], room int) int {
	q := &c.queue
	room -= c.codec.MaxHeader()
	q.credit = min(q.credit+room/payloadShare, room)
	free := max(0, room-len(p.Updates)*c.codec.MaxUpdate()) // nobody else needs it
	limit := max(free, q.credit)
	c.taken = c.taken[:0]
	used := 0
	for _, item := range q.items {
		cost := len(item.data) + payloadFrame
		taken := used+cost <= limit+payloadFrame
		c.taken = append(c.taken, taken)
		if taken {
			used += cost
			p.Payloads = append(p.Payloads, item.data)
		} else {
			// The credit is saved for it, or smaller ones would take it all.
			limit = free
		}
		if used >= limit {
			break
		}
	}
	q.credit = max(0, q.credit-max(0, used-free))
	return len(c.taken)
}

// payloadFrame bounds the bytes of the length that precedes a payload; one of
// them is part of the largest header.
const payloadFrame = 3

// payloadTransmissions is how often a payload is told. No digest finds out whom it
// missed, so it is more often than for updates where there is one.
func (c *Core[ID, Addr]) payloadTransmissions() int {
	if !c.synchronises() {
		return c.size().transmissions
	}
	scale := c.cfg.Transmissions
	scale.Factor = (4*scale.Factor + 2) / 3
	return scale.at(c.size().n)
}

// anyFresh reports whether there is a payload that was never told.
func (q *payloads) anyFresh() bool { return len(q.items) > 0 && q.items[0].sent == 0 }

// settlePayloads notes which payloads were sent.
func (c *Core[ID, Addr]) settlePayloads(looked int) {
	if looked > 0 {
		c.queue.settle(c.taken[:looked], c.payloadTransmissions())
	}
}

// dropLargePayloads drops what no longer fits into a smaller packet.
func (c *Core[ID, Addr]) dropLargePayloads() {
	before := len(c.queue.items)
	c.queue.items = slices.DeleteFunc(c.queue.items, func(item payload) bool {
		return len(item.data) > c.largestPayload()
	})
	c.stats.PayloadsLost += uint64(before - len(c.queue.items))
}
