package main

func Example() {
	main()
	// Output:
	// Three members add a word each.
	//   all 5 have: otter seal walrus
	// One word changes a hundred times. One payload is told, the latest.
	//   waiting to be told: 1
	//   all 5 have: seal walrus
	// Two members disagree at the same moment. All choose the same.
	//   all 5 have: walrus whale
	// One who comes late is told by those who wrote.
	//   all 6 have: walrus whale
}
