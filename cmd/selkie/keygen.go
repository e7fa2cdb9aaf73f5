package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/selkie-go/selkie"
	"github.com/spf13/cobra"
)

func (a *app) keygenCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "keygen [FILE]",
		Short: "Make a key for a cluster",
		Long: `Make a key that seals what the members of a cluster say to each other. Every
member must have it: copy the file to each, and name it with
'selkie agent --key-file'. To change the key of a running cluster, see
'selkie help keys'.

With FILE that file is made, for its owner only; one that is there is not
replaced. Otherwise the key is printed. The name of the key, which gives nothing
of it away, goes to standard error.

A key file has a key on each line; the first one seals. A line
"KEY retired=TIME" is a key that is accepted until then. Empty lines, and those
that begin with #, say nothing.`,
		Example: "  selkie keygen seals.key\n  selkie agent --bind 10.0.0.5:7946 --key-file seals.key",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			key := selkie.NewKey()
			if len(args) == 0 {
				fmt.Fprintln(a.out, key.Reveal())
			} else if err := createKeyFile(args[0], key); err != nil {
				return err
			}
			fmt.Fprintf(a.err, "key %v\n", key.ID())
			return nil
		},
	}
}

// createKeyFile makes a file with a key that only its owner can read.
func createKeyFile(path string, key selkie.Key) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already: a key that is lost can not be made again, so remove it yourself", path)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "# Key %v of a selkie cluster, made on %s.\n%s\n", key.ID(), time.Now().UTC().Format(time.DateOnly), key.Reveal())
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
