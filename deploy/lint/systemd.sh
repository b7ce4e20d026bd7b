#!/usr/bin/env bash
# Whether systemd understands the unit, and how much the unit leaves to whoever takes the program over.
set -euo pipefail
cd "$(dirname "$0")/../systemd"
most=2.0

# The program need not be installed here for that; everything else is a finding.
said=$(systemd-analyze verify --recursive-errors=no ./contact-governor.service 2>&1 |
  grep -v '/usr/bin/contact-governor is not executable: No such file or directory' || true)
[ -z "$said" ] || { echo "$said" >&2; exit 1; }

security=$(systemd-analyze security --offline=yes --no-pager ./contact-governor.service | tail -n 1)
echo "${security#→ }"
exposed=$(grep -oE '[0-9]+\.[0-9]+' <<<"$security" | head -n 1)
awk -v exposed="$exposed" -v most="$most" 'BEGIN { exit !(exposed <= most) }' ||
  { echo "more than $most" >&2; exit 1; }
