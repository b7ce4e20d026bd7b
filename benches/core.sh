#!/usr/bin/env bash
# The bars of the core, each as a ratio beside its bar, from one run of benches/decide.rs.
set -euo pipefail
cd "$(dirname "$0")/.."

output=$(mktemp)
trap 'rm -f "$output"' EXIT
cargo bench --bench decide | tee "$output"

# The medians, in nanoseconds, by name (and argument).
awk '
  function ns(text, parts) {
    split(text, parts, " ")
    return parts[1] * (parts[2] == "ns" ? 1 : parts[2] == "ms" ? 1000000 : 1000)
  }
  /[├╰]─/ {
    line = $0
    nested = sub(/^│  /, "", line) || sub(/^   /, "", line)
    columns = split(line, column, "│")
    split(column[1], words, " ")
    if (!nested) { group = words[2]; name = group } else { name = group " " words[2] }
    if (columns >= 4 && column[3] ~ /s/) median[name] = ns(column[3])
  }
  END {
    short = median["fifty_rules_by_contacts 10"]; long = median["fifty_rules_by_contacts 1000"]
    usual = median["default_policy_20_contacts"]
    if (!short || !long || !usual) { print "the benchmark printed nothing to read" > "/dev/stderr"; exit 1 }
    printf "\nfifty rules, 1,000 contacts against 10: %.1f times (bar 5)\n", long / short
    printf "default policy, 20 contacts: %.2f µs, %.2f of its bar of 5 µs\n", usual / 1000, usual / 5000
  }' "$output"
