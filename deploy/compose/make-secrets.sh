#!/bin/sh
# Makes every secret of compose.yaml, each once: a file that is there is left alone. Rotating one is removing its file (and
# for a Redis password all three of its files) and running this again; see docs/operating.md.
#
#   ./make-secrets.sh                                    keys are made by the image
#   GOVERNOR=path/to/contact-governor ./make-secrets.sh  keys are made by a program on this machine
set -eu
cd "$(dirname "$0")"
governor=${GOVERNOR:-docker run --rm contact-governor:${GOVERNOR_VERSION:-0.1.0}}

# Services run as users of their own and must read their file; nobody else on the machine gets into the folder.
umask 022
mkdir -p secrets
chmod 0700 secrets

random() { od -An -tx1 -N 32 /dev/urandom | tr -d ' \n'; }
sha256() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }

# Written beside it first: what is there is whole.
keep() {
  cat >"secrets/$1.new"
  mv "secrets/$1.new" "secrets/$1"
  echo "made secrets/$1"
}

if [ ! -e secrets/governor.toml ]; then
  password=$(random)
  operator=$(random)
  # The governor's rights are those of ../redis/users.acl; the operator can look, save and set, and reads no record.
  {
    sed -n "/^user governor /s/#[0-9a-f]\{64\}/#$(sha256 "$password")/p" ../redis/users.acl
    echo "user operator on #$(sha256 "$operator") resetkeys resetchannels -@all +@connection +ping +info +role +dbsize +save +bgsave +lastsave +bgrewriteaof +config|get +config|set +slowlog +latency +shutdown"
    echo "user default off"
  } | keep redis-users.acl
  printf %s "$operator" | keep redis-operator

  # A key a line, the line for the settings after it.
  lines=
  for key in "sender ask,tell" "reader read" "admin admin,read,tell,ask" "prometheus read"; do
    name=${key%% *}
    made=$($governor key new --name "$name" --scopes "${key#* }" 2>/dev/null)
    printf '%s' "$made" | head -n 1 | tr -d '\n' | keep "$name-key"
    lines="$lines$(printf '%s' "$made" | sed -n 2p)
"
  done
  keep governor.toml <<TOML
# Laid over settings.toml by compose.yaml. Made by make-secrets.sh.

[ledger]
url = "redis://governor:$password@redis:6379"

[privacy]
secrets = "$(random)"

[wishes_page]
secret = "$(random)"

[keys]
$lines
TOML
fi

[ -e secrets/grafana-admin ] || random | keep grafana-admin
