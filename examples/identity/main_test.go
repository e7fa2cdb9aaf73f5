package main

func Example() {
	main()
	// Output:
	// An address alone
	//   a: b is up
	//   a: c is up
	//   b crashes
	//   a: b is down
	//   b: I was declared down, and have no other name
	//   a knows: c
	//
	// A generation
	//   a#1: b#1 is up
	//   a#1: c#1 is up
	//   b#1 crashes
	//   a#1: b#1 is down
	//   a#1: b#2 is up
	//   the cable of b#2 is pulled
	//   a#1: b#2 is down
	//   the cable of b#2 is back
	//   b#2: I was declared down, and go on as b#3
	//   a#1: b#3 is up
	//   a#1 knows: b#3, c#1
	//
	// Small
	//   10.0.0.2#7 takes 6 bytes, a ping 19
	//   a ping with news about 172 members takes 1395 bytes
	//
	// Facts
	//   10.0.0.1#1(zone 1, w): 10.0.0.2#1(zone 1, r) is up
	//   10.0.0.1#1(zone 1, w): 10.0.0.3#1(zone 2, r) is up
	//   10.0.0.1#1(zone 1, w): 10.0.0.4#1(zone 2, r) is up
	//   10.0.0.1#1(zone 1, w): 10.0.0.4#1(zone 2, r) is now 10.0.0.4#2(zone 2, w)
	//   who writes in zone 2: 10.0.0.4#2(zone 2, w)
}
