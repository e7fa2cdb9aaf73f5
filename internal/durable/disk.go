package durable

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"time"
)

// A disk is what this package needs of an operating system. Tests have others,
// which fail.
type disk struct {
	// create makes a file for writing, and fails if there is one.
	create   func(name string, mode fs.FileMode) (file, error)
	openDir  func(name string) (directory, error)
	rename   func(from, to string) error
	remove   func(name string) error
	readFile func(name string) ([]byte, error)
	readDir  func(name string) ([]fs.DirEntry, error)
	now      func() time.Time
}

// A file is a new file that is being written.
type file interface {
	Chmod(mode fs.FileMode) error
	Write(content []byte) (int, error)
	Sync() error
	Close() error
}

// A directory can be flushed, after which names in it are there to stay.
type directory interface {
	Sync() error
	Close() error
}

// host is the disk of the computer that we run on.
var host = disk{
	create: func(name string, mode fs.FileMode) (file, error) {
		return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	},
	openDir: func(name string) (directory, error) {
		f, err := os.Open(name)
		return hostDirectory{f}, err
	},
	rename:   os.Rename,
	remove:   os.Remove,
	readFile: os.ReadFile,
	readDir:  os.ReadDir,
	now:      time.Now,
}

// A hostDirectory is flushed as well as the system can.
type hostDirectory struct{ *os.File }

func (d hostDirectory) Sync() error {
	if runtime.GOOS == "windows" {
		return nil // it has no such call
	}
	err := d.File.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil // some network file systems have none either
	}
	return err
}
