// Package frame wraps a payload so that a receiver can tell whether all of it
// arrived, and whether it was meant for this cluster.
//
//	0          1                5                        n-4          n
//	+----------+----------------+------------------------+------------+
//	| 0x20 + c | cluster        | payload                | checksum   |
//	+----------+----------------+------------------------+------------+
//	  version,   first 4 bytes    as many bytes as the     CRC32C of
//	  channel    of SHA-256 of    datagram has left        everything
//	             its name                                  before it,
//	                                                       big endian
//
// A frame guards against accidents, such as a flipped bit, a cut packet, or an
// address that another cluster used before. It keeps nobody out: whoever knows
// the name of the cluster can make one.
package frame

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
)

// Version is the high half of the first byte of every frame; the low half is the
// channel, a number of the owner's.
const Version = 0x20

// MaxChannel is the highest channel.
const MaxChannel = 0x0f

// Overhead is how many bytes a frame is longer than its payload.
const Overhead = prefix + 4

// prefix is the length of what stands before the payload.
const prefix = 1 + len(Cluster{})

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A Cluster stands for the name of a cluster in every frame.
type Cluster [4]byte

// ClusterOf returns what stands for a name. Every name has one, the empty
// name too.
func ClusterOf(name string) Cluster {
	sum := sha256.Sum256([]byte(name))
	return Cluster(sum[:])
}

// A Fault is a reason for not accepting a frame.
type Fault uint8

// The reasons, in the order in which they are looked for.
const (
	FaultShort    Fault = iota // less than a frame without a payload
	FaultVersion               // the high half of the first byte is not Version
	FaultCluster               // meant for another cluster
	FaultChecksum              // changed on its way
	numFaults
)

// NumFaults is the number of reasons.
const NumFaults = int(numFaults)

var faultNames = [NumFaults]string{"short", "frame", "cluster", "checksum"}

// String returns the reason in lower case, as metrics name it.
func (f Fault) String() string {
	if f < numFaults {
		return faultNames[f]
	}
	return "unknown"
}

// Error makes a Fault an error.
func (f Fault) Error() string { return "frame: refused: " + f.String() }

// Append appends the frame of a payload to b. The payload must not overlap the
// free room behind b. A channel beyond [MaxChannel] is a mistake of the caller,
// and panics.
func Append(b []byte, cluster Cluster, channel uint8, payload []byte) []byte {
	if channel > MaxChannel {
		panic("frame: there is no such channel")
	}
	start := len(b)
	b = append(b, Version|channel)
	b = append(b, cluster[:]...)
	b = append(b, payload...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// Open returns the payload of a frame, which points into data, and its channel. If it is not acceptable, the error is a [Fault].
//
// A frame of another cluster is told from a damaged one by looking at the
// cluster first; damage to just these bytes therefore counts as another
// cluster.
func Open(data []byte, cluster Cluster) (payload []byte, channel uint8, err error) {
	if len(data) < Overhead {
		return nil, 0, FaultShort
	}
	if data[0]&^MaxChannel != Version {
		return nil, 0, FaultVersion
	}
	if Cluster(data[1:prefix]) != cluster {
		return nil, 0, FaultCluster
	}
	body, sum := data[:len(data)-4], data[len(data)-4:]
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(sum) {
		return nil, 0, FaultChecksum
	}
	return body[prefix:], data[0] & MaxChannel, nil
}
