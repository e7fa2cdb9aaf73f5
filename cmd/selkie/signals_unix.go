//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyMore asks for the signals that make an agent reload, and say how it is.
func notifyMore(reload, dump chan<- os.Signal) {
	signal.Notify(reload, syscall.SIGHUP)
	signal.Notify(dump, syscall.SIGUSR1)
}
