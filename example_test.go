package selkie_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/selkie-go/selkie"
)

// Two members in one process: the second one finds the first, and leaves.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	first, err := selkie.Start(ctx, selkie.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer first.Close()
	second, err := selkie.Start(ctx, selkie.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer second.Close()

	if err := second.Join(ctx, first.Self().Addr().String()); err != nil {
		log.Fatal(err)
	}
	for event := range first.Watch(ctx) {
		switch event.Kind {
		case selkie.EventSnapshot:
			fmt.Println(len(event.Members), "members")
			go second.Leave(ctx)
		case selkie.EventLeft:
			fmt.Println("the second one has", event.Member.State)
			return
		}
	}
	// Output:
	// 2 members
	// the second one has left
}
