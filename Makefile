# make test   everything that must pass, on a machine that has cargo and apt
# make bench  the bars of performance, each as a ratio beside its bar
# make soak   load with faults at random for SOAK_SECONDS, ten minutes unless told otherwise
# make sbom   what the program is made of, as CycloneDX
# make eval   how well claims are read, on messages that nothing was learnt from
# make train  learns the claims reader's weights anew
# make fuzz   throws any bytes at everything that reads what others send
# make lint   formatting, clippy, docs, dependencies
# make dashboards  holds the dashboards against Grafana's own types
# make pictures  drives some minutes of traffic and draws the dashboards anew
# make openapi  writes docs/openapi.json anew
# make run    a governor on 127.0.0.1:8080, records in ./data

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := test
.PHONY: test openapi dashboards pictures soak sbom advisories bench bench-core bench-http bench-redis bench-batch bench-scrub bench-claims bench-simulate bench-overload eval train fuzz lint run tools-test tools-bench tools-lint

# Installs a Debian package unless its command is there; `sudo` only where one is not root.
define ensure
	@command -v $(1) >/dev/null || { \
	  as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  echo "installing $(2)"; $$as_root apt-get update -qq && $$as_root apt-get install -y -qq $(2); }
endef

run:
	cargo run --release

# The document of the HTTP interface; it is compiled into the program, so it is never empty, even while it is written.
openapi:
	cargo run --quiet --example openapi > target/openapi.json
	mv target/openapi.json docs/openapi.json

test: tools-test
	cargo test
	@# The program as the tests were built with it.
	target/debug/contact-governor policy test tests/cases/*.toml | tail -n 1

# prlimit, for the test of a full disk; a Redis for the ledger in it; a Prometheus to watch it; a browser for the customers' page; a tester of
# HTTP interfaces, in a folder of its own; sh and kill are everywhere.
SCHEMATHESIS = tests/openapi/schemathesis
tools-test:
	$(call ensure,prlimit,util-linux)
	$(call ensure,cc,gcc libc6-dev)
	$(call ensure,redis-server,redis-server redis-tools)
	@# Its package starts a service where it can; the tests start their own.
	@command -v promtool >/dev/null || { \
	  as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); echo "installing prometheus"; \
	  $$as_root apt-get update -qq && $$as_root apt-get install -y -qq --no-install-recommends prometheus; \
	  [ ! -d /run/systemd/system ] || $$as_root systemctl disable --now prometheus; \
	  $$as_root service prometheus stop >/dev/null 2>&1 || true; }
	$(call ensure,chromedriver,chromium chromium-driver)
	$(call ensure,python3,python3)
	@python3 -c 'import ensurepip' 2>/dev/null || { \
	  as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$as_root apt-get update -qq && $$as_root apt-get install -y -qq python3-venv; }
	@cmp -s $(SCHEMATHESIS)/requirements.txt target/schemathesis/requirements.txt || { \
	  echo "installing schemathesis"; rm -rf target/schemathesis && python3 -m venv target/schemathesis \
	  && target/schemathesis/bin/pip install --quiet -r $(SCHEMATHESIS)/requirements.txt \
	  && cp $(SCHEMATHESIS)/requirements.txt target/schemathesis/; }

# What Grafana calls its options, as npm has it; the dashboards are checked against that by a compiler of types.
dashboards:
	$(call ensure,npm,npm)
	mkdir -p target/grafana
	python3 deploy/grafana/types.py > target/grafana/check.ts
	cd target/grafana && npm install --silent --no-save --ignore-scripts --no-audit --no-fund @grafana/schema@13.2.3 typescript@5 \
	  && npx tsc --noEmit --strict --skipLibCheck --moduleResolution node --target es2020 --module commonjs check.ts
	@echo "every panel is as Grafana's types want it"

pictures: tools-test
	cargo build --release --bin contact-governor
	python3 deploy/grafana/traffic.py target/release/contact-governor docs/pictures

lint: tools-lint
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps
	cargo deny --all-features check bans licenses sources
	.ci/advisories

# Known flaws of dependencies. Needs github.com; where that is away it says so and passes, with ADVISORIES=required it fails.
advisories: tools-lint
	.ci/advisories

# Everything the program is made of, as CycloneDX JSON in target/sbom.
sbom:
	@command -v cargo-cyclonedx >/dev/null || cargo install cargo-cyclonedx --locked
	cargo cyclonedx --format json --spec-version 1.5 --all-features --override-filename sbom
	mkdir -p target/sbom && mv sbom.json target/sbom/contact-governor.cdx.json
	@echo target/sbom/contact-governor.cdx.json

tools-lint:
	@command -v cargo-deny >/dev/null || cargo install cargo-deny --locked

bench: bench-core bench-claims bench-http bench-redis bench-batch bench-scrub bench-simulate bench-overload

bench-core:
	benches/core.sh

bench-claims:
	benches/claims.sh

# Rows a second of a list of SCRUB_ROWS rows, a million unless told otherwise.
bench-scrub:
	cargo build --release
	benches/scrub.sh

# How well claims are read: scores on messages that nothing was learnt from.
eval:
	cargo run --release --example eval-claims -- training/claims/heldapart.jsonl

# Learns the claims reader's weights anew from training/claims.
train:
	cargo run --release --example train-claims

# Any bytes at all for everything that reads what others send: each target for FUZZ_SECONDS, or one, by FUZZ_TARGET; needs a
# nightly compiler.
FUZZ_SECONDS ?= 120
FUZZ_TARGET ?=
fuzz:
	@command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked
	@rustup toolchain list | grep -q '^nightly' || rustup toolchain install nightly --profile minimal
	cargo run --quiet --manifest-path fuzz/Cargo.toml --bin seeds > target/fuzz-targets
	for target in $${FUZZ_TARGET:-$$(cat target/fuzz-targets)}; do \
	  cargo +nightly fuzz run $$target -- -max_total_time=$(FUZZ_SECONDS) -max_len=20000; \
	done

# Steady load with faults at random, on Redis and on the embedded ledger, each for SOAK_SECONDS: counts stay exact, memory flat.
# SOAK_SEED repeats the choices of a run.
SOAK_SECONDS ?= 600
soak: tools-test
	cargo build --release --bin contact-governor
	SOAK_SECONDS=$(SOAK_SECONDS) SOAK_PROGRAM=$(CURDIR)/target/release/contact-governor \
	  cargo test soak:: -- --nocapture --test-threads=1

bench-http: tools-bench
	cargo build --release --bin contact-governor --example bench-ceiling
	benches/http.sh

bench-redis: tools-bench
	cargo build --release --bin contact-governor --example bench-ceiling
	benches/redis.sh

bench-batch: tools-bench
	cargo build --release --bin contact-governor
	benches/batch.sh

# Four times as many asks as can be answered.
bench-overload:
	cargo build --release --bin contact-governor --example bench-overload
	benches/overload.sh

# Ten million lines of a made-up year: how fast, and in how much memory.
bench-simulate:
	$(call ensure,time,time)
	cargo build --release --bin contact-governor
	benches/simulate.sh

tools-bench:
	$(call ensure,wrk,wrk)
	$(call ensure,redis-server,redis-server redis-tools)
