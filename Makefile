# What a contributor types. The checks themselves are in .ci/, where a machine
# runs the same ones.

.PHONY: all test check race fuzz sim soak bench lint help

all: test check ## Run the tests and the checks (the default)

test: ## Run the tests of all modules
	go test work

check: ## Run the checks: format, vet, other platforms, races, each module alone
	.ci/check all

race: ## Look for data races only
	.ci/check raceless

fuzz: ## Fuzz every target for ten minutes, or FUZZTIME
	.ci/fuzz $(or $(FUZZTIME),10m)

sim: ## Simulate what must pass before a change is taken: seeds, planted bugs, 32 bits, theory
	.ci/sim all

soak: ## Simulate fresh seeds for an hour, or HOURS, and enter that into the ledger
	go build -o bin/selkie ./cmd/selkie
	bin/selkie sim swarm --for $(or $(HOURS),1)h --all-marks --ledger sim/ledger.jsonl

bench: ## Print the figures of the protocol, then those of other implementations
	go test ./swim -run '^$$' -bench .
	cd bench && go test -run '^$$' -bench .

lint: ## Run the linters of .golangci.yml, which take minutes to install
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run ./... ./cmd/selkie/... ./bench/...

help: ## Say what there is to make
	@sed -nE 's/^([a-z]+):.*## (.*)/\1	\2/p' $(MAKEFILE_LIST) | expand -t 8
