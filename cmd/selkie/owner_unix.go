//go:build unix

package main

import (
	"os"
	"syscall"
)

// keepOwner gives a file back to whom it belonged before it was replaced, if
// that was somebody else and we may.
func keepOwner(path string, before os.FileInfo) {
	if owner, ok := before.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() {
		_ = os.Chown(path, int(owner.Uid), int(owner.Gid))
	}
}
