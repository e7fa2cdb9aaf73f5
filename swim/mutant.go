package swim

// A mutant is a bug that is planted on purpose, to prove that a simulation
// would notice it. Each is a condition where the bug would be; the table of
// them, which says what each does wrong, is compiled with the build tag
// "mutants" alone. Without it planted is a constant, and the compiler removes
// the conditions.
type mutant uint8

const (
	noMutant mutant = iota

	// What is believed about members.
	acceptEqualAlive
	leftIsNotFinal
	refuteDown
	oldLifeReplaces
	dropMetadata
	ignoreMaxMembers
	meetOurselves

	// Suspicion and verdict.
	believeDown
	condemnAlone
	countLivesAsAccusers
	accuseStaleIncarnation
	accuseNextIncarnation
	inheritDeadline
	excuseNobody
	countPause
	judgeTheRefuted

	// Lifeguard.
	confirmAtOnce
	confirmBySync
	judgeThoughDeaf
	ignoreHealth
	neverRecover
	nackTwice
	nackTheAnswered

	// Timer events.
	skipTokenCheck
	actEarly
	swallowEarlyEvent

	// Probes and relays.
	restAfterFailure
	skipLastOfRound
	ackAnyNumber
	relayAnyNumber
	relayTwice

	// Ourselves: refutation, renewal, goodbye.
	refuteWithoutRaising
	refuteOldNews
	wrapIncarnation
	renewAtOnce
	renewBelowNewest
	hushConflict
	leaveAlive

	// Packets.
	hearForAnyLife
	hushVerdict
	answerGossip
	answerAtLength
	overfillPacket
	ignoreTrailing
	applyUpToDamage

	// Gossip.
	keepNewsToOneself
	tellLeftAsDown
	queueTwice
	tellForever
	tellPayloadsForever

	// Digests and reconciliation.
	tellSynced
	skipLastWord
	keepInDigest

	// Forgetting and healing.
	forgetEarly
	forgetNobody
	abandonTheLost

	// What the owner sees and sets.
	renameAsUp
	hushRename
	acceptAnyConfig

	numMutants
)
