#!/usr/bin/env bash
# The bars of reading claims, each as a ratio beside its bar, from one run of benches/claims.rs.
set -euo pipefail
cd "$(dirname "$0")/.."

output=$(mktemp)
trap 'rm -f "$output"' EXIT
cargo bench --bench claims | tee "$output"

# The medians, in microseconds, by name.
awk '
  function us(text, parts) {
    split(text, parts, " ")
    return parts[1] * (parts[2] == "ns" ? 0.001 : parts[2] == "ms" ? 1000 : 1)
  }
  /[├╰]─/ {
    split($0, column, "│")
    split(column[1], words, " ")
    median[words[2]] = us(column[3])
  }
  END {
    mail = median["two_kilobytes"]; long = median["quarter_of_a_megabyte"]
    if (!mail || !long) { print "the benchmark printed nothing to read" > "/dev/stderr"; exit 1 }
    printf "\ntwo kilobytes: %.1f µs, %.2f of its bar of 50 µs\n", mail, mail / 50
    printf "256 kilobytes: %.2f ms, %.2f of its bar of 5 ms\n", long / 1000, long / 5000
  }' "$output"
