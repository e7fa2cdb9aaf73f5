# What a contributor types. The checks themselves are in .ci/, where a machine
# runs the same ones.

.PHONY: all test check race fuzz bench lint help

all: test check ## Run the tests and the checks (the default)

test: ## Run the tests of all modules
	go test work

check: ## Run the checks: format, vet, other platforms, races, each module alone
	.ci/check all

race: ## Look for data races only
	.ci/check raceless

fuzz: ## Fuzz every target for ten minutes, or FUZZTIME
	.ci/fuzz $(or $(FUZZTIME),10m)

bench: ## Print the figures of the protocol, then those of other implementations
	go test ./swim -run '^$$' -bench .
	cd bench && go test -run '^$$' -bench .

lint: ## Run the linters of .golangci.yml, which take minutes to install
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run ./... ./cmd/selkie/... ./bench/...

help: ## Say what there is to make
	@sed -nE 's/^([a-z]+):.*## (.*)/\1	\2/p' $(MAKEFILE_LIST) | expand -t 8
