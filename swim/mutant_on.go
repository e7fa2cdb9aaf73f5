//go:build mutants

package swim

import (
	"iter"
	"strings"
)

// planted is the bug that all cores of this process have.
var planted = noMutant

// A Mutant describes a bug that [Plant] can plant. There are mutants only with
// the build tag "mutants".
type Mutant struct {
	Number int    // from 1 on, without gaps
	Name   string // lower-case words with hyphens
	Does   string // what a core with this bug does wrong, as a sentence
	// Breaks are the invariants and promises, such as S1 or L7, of which at
	// least one should be found broken.
	Breaks []string
}

// Mutants yields all bugs that can be planted, in the order of their numbers.
func Mutants() iter.Seq[Mutant] {
	return func(yield func(Mutant) bool) {
		for m := noMutant + 1; m < numMutants; m++ {
			entry := mutants[m]
			if !yield(Mutant{int(m), entry.name, entry.does, strings.Fields(entry.breaks)}) {
				return
			}
		}
	}
}

// Plant gives the bug of that number to every core of this process; 0 gives
// them none. It reports whether there is such a bug. No core may be in use
// meanwhile.
func Plant(number int) bool {
	if number < 0 || number >= int(numMutants) {
		return false
	}
	planted = mutant(number)
	return true
}

var mutants = [numMutants]struct{ name, does, breaks string }{
	acceptEqualAlive: {"accept-equal-alive", "An alive at the incarnation of a suspicion clears it, although only a higher one refutes.", "S1 L1"},
	leftIsNotFinal:   {"left-is-not-final", "A goodbye is ordered by its incarnation like any other state, so that old news bring back who left.", "S1 S2 S24"},
	refuteDown:       {"refute-down", "Who hears that they are down refutes it by an incarnation instead of renewing.", "S2"},
	oldLifeReplaces:  {"old-life-replaces", "A record of an earlier life replaces that of the life after it.", "S25"},
	dropMetadata:     {"drop-metadata", "Newer metadata of a member that is alive is taken for old news.", "L3"},
	ignoreMaxMembers: {"ignore-max-members", "New members are taken in beyond Config.MaxMembers.", "S16"},
	meetOurselves:    {"meet-ourselves", "A record of our own address enters the roster.", "S9"},

	believeDown:            {"believe-down", "A Down that is heard counts at once, without a suspicion of our own before it.", "S8"},
	condemnAlone:           {"condemn-alone", "A single accuser is enough for a verdict that everybody hears.", "S5 L12"},
	countLivesAsAccusers:   {"count-lives-as-accusers", "Two lives of one address count as two accusers.", "S5 S13"},
	accuseStaleIncarnation: {"accuse-stale-incarnation", "A failed probe accuses its target although it refuted while the probe ran.", "S1 S5"},
	accuseNextIncarnation:  {"accuse-next-incarnation", "A failed probe accuses its target at an incarnation that it never had.", "S3 S5"},
	inheritDeadline:        {"inherit-deadline", "A suspicion soon after another one goes on with the time that is left of that.", "S8"},
	excuseNobody:           {"excuse-nobody", "A suspect that answered does not get its full time again.", "S8"},
	countPause:             {"count-pause", "The time in which we stood still counts as time to refute.", "S8 S18"},
	judgeTheRefuted:        {"judge-the-refuted", "The timer event of a suspicion that was refuted judges all the same.", "S8"},

	confirmAtOnce:   {"confirm-at-once", "A suspicion lasts the least time, whoever confirms it or not.", "S8 L2"},
	confirmBySync:   {"confirm-by-sync", "An accuser whom a feed names confirms a suspicion.", "S8"},
	judgeThoughDeaf: {"judge-though-deaf", "Who hears nobody gives verdicts all the same.", "S8"},
	ignoreHealth:    {"ignore-health", "Who doubts themselves probes as often as ever.", "D7"},
	neverRecover:    {"never-recover", "No success takes away the doubt about ourselves.", "L8 L9 D7"},
	nackTwice:       {"nack-twice", "A nack is sent again and again.", "S12 S14"},
	nackTheAnswered: {"nack-the-answered", "A relay whose target has answered says nack as well.", "S12"},

	skipTokenCheck:    {"skip-token-check", "A timer event that was replaced is handled like the outstanding one.", "S17"},
	actEarly:          {"act-early", "A timer event that comes before its task is due runs the task.", "S17 S18"},
	swallowEarlyEvent: {"swallow-early-event", "The event of a suspicion that comes early is not submitted again.", "S18 L1"},

	restAfterFailure: {"rest-after-failure", "Who had no answer to a probe starts no other.", "L1 L9"},
	skipLastOfRound:  {"skip-last-of-round", "A new round of probes begins before the last member had its turn.", "L9"},
	ackAnyNumber:     {"ack-any-number", "An ack of an earlier ping counts for the running probe.", "S11"},
	relayAnyNumber:   {"relay-any-number", "A relay passes on an ack of an earlier ping as the answer to the present one.", "S11"},
	relayTwice:       {"relay-twice", "A request to relay a ping that comes twice is carried out twice.", "S12"},

	refuteWithoutRaising: {"refute-without-raising", "Who hears that they are suspected answers without raising their incarnation.", "L4 L2"},
	refuteOldNews:        {"refute-old-news", "A suspicion that was refuted before raises the incarnation again.", "S19"},
	wrapIncarnation:      {"wrap-incarnation", "The incarnation after the highest is zero.", "S3"},
	renewAtOnce:          {"renew-at-once", "A renewal that follows another one does not wait.", "S26"},
	renewBelowNewest:     {"renew-below-newest", "A renewal goes one above our own identity, not above the newest that was heard of.", "S4 L6"},
	hushConflict:         {"hush-conflict", "That somebody else uses our address is not reported.", "S26"},
	leaveAlive:           {"leave-alive", "While we say goodbye our headers say that we are alive.", "S24"},

	hearForAnyLife:  {"hear-for-any-life", "A packet for an earlier or later life of ours counts as if it were for us.", "S10"},
	hushVerdict:     {"hush-verdict", "Who talks to us although we hold them down is not told so.", "L6 L7"},
	answerGossip:    {"answer-gossip", "Gossip is answered with gossip.", "S14 L8"},
	answerAtLength:  {"answer-at-length", "A sender that never answered us is sent more than it sent.", "S14"},
	overfillPacket:  {"overfill-packet", "A packet takes one update more than it has room for.", "S13 S14"},
	ignoreTrailing:  {"ignore-trailing", "Bytes behind the end of a packet are ignored.", "S13 S22 S29"},
	applyUpToDamage: {"apply-up-to-damage", "Of a packet with a malformed record those up to it are applied.", "S21 S22 S29"},

	keepNewsToOneself:   {"keep-news-to-oneself", "What is learnt from others is not told on.", "L3 L4"},
	tellLeftAsDown:      {"tell-left-as-down", "That somebody left is told as a Down.", "S2 S5 S24"},
	queueTwice:          {"queue-twice", "News about a member does not replace what waited to be told about it.", "S15"},
	tellForever:         {"tell-forever", "How often an update was told is not counted.", "S15 L8"},
	tellPayloadsForever: {"tell-payloads-forever", "Payloads are told without end.", "L8"},

	tellSynced:   {"tell-synced", "What is learnt by synchronising is gossiped as news.", "S15"},
	skipLastWord: {"skip-last-word", "A verdict falls without a last word of the suspect.", "S8"},
	keepInDigest: {"keep-in-digest", "Who is forgotten stays in the digest.", "L3"},

	forgetEarly:    {"forget-early", "When the first tombstone is due all are forgotten.", "S27"},
	forgetNobody:   {"forget-nobody", "Tombstones whose time is over stay.", "S16"},
	abandonTheLost: {"abandon-the-lost", "Members that are down are contacted only if somebody else is waiting to be.", "L7"},

	renameAsUp:      {"rename-as-up", "That a member took an address over is told as a second Up.", "S6"},
	hushRename:      {"hush-rename", "That a member took an address over is not told.", "S7"},
	acceptAnyConfig: {"accept-any-config", "An invalid configuration comes into force.", "S30"},
}
