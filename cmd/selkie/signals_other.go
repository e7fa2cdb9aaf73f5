//go:build !unix

package main

import "os"

// notifyMore does nothing: there are no such signals here.
func notifyMore(chan<- os.Signal, chan<- os.Signal) {}
