# make test   everything that must pass, on a machine that has cargo and apt
# make bench  the bars of performance, each as a ratio beside its bar
# make lint   formatting, clippy, docs, dependencies
# make run    a governor on 127.0.0.1:8080, records in ./data

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := test
.PHONY: test bench bench-core bench-http bench-redis lint run tools-test tools-bench tools-lint

# Installs a Debian package unless its command is there; `sudo` only where one is not root.
define ensure
	@command -v $(1) >/dev/null || { \
	  as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  echo "installing $(2)"; $$as_root apt-get update -qq && $$as_root apt-get install -y -qq $(2); }
endef

run:
	cargo run --release

test: tools-test
	cargo test
	cargo build --bin contact-governor
	target/debug/contact-governor policy test tests/cases/*.toml | tail -n 1

# prlimit, for the test of a full disk; a Redis for the ledger in it; sh and kill are everywhere.
tools-test:
	$(call ensure,prlimit,util-linux)
	$(call ensure,cc,gcc libc6-dev)
	$(call ensure,redis-server,redis-server redis-tools)

lint: tools-lint
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps
	cargo deny --all-features check bans licenses sources

tools-lint:
	@command -v cargo-deny >/dev/null || cargo install cargo-deny --locked

bench: bench-core bench-http bench-redis

bench-core:
	benches/core.sh

bench-http: tools-bench
	cargo build --release --bin contact-governor --example bench-ceiling
	benches/http.sh

bench-redis: tools-bench
	cargo build --release --bin contact-governor --example bench-ceiling
	benches/redis.sh

tools-bench:
	$(call ensure,wrk,wrk)
	$(call ensure,redis-server,redis-server redis-tools)
