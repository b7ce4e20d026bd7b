#!/usr/bin/env bash
# Starts by hand what the systemd unit starts, where there is no systemd, and sees from outside that it works.
#
#   deploy/try/systemd.sh [PROGRAM]        target/release/contact-governor unless told otherwise
#
# Needs root, bubblewrap, curl, jq, python3 and python3-seccomp. The program runs with the unit's own
# ExecStart, as another user, with a read-only file system but for its two folders, its credential in a folder of its own,
# without capabilities, and under the unit's filter of system calls and address families.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(realpath "${1:-target/release/contact-governor}")

if [ -z "${INSIDE:-}" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  INSIDE=1 WORK=$work unshare --net --mount --pid --fork --mount-proc --kill-child \
    "$0" "$program"
  exit
fi
work=${WORK:?}
# shellcheck source-path=SCRIPTDIR/../..
source deploy/try/steps.sh
unit=deploy/systemd/contact-governor.service
of() { sed -n "s/^$1=//p" $unit; }
ip link set lo up
chmod 0711 "$work"

step "Files, as README.md has them installed"
etc=$work/etc
mkdir -p "$etc" "$work"/{state,logs,credentials}
cp deploy/systemd/settings.toml deploy/systemd/policy.toml "$etc"
made=$("$program" key new --name dialler --scopes ask,tell,read 2>/dev/null)
key=$(head -n 1 <<<"$made")
install -m 0600 /dev/stdin "$etc/secrets.toml" <<TOML
[privacy]
secrets = "$(od -An -tx1 -N 32 /dev/urandom | tr -d ' \n')"
[keys]
$(sed -n 2p <<<"$made")
TOML
# LoadCredential=: a copy that only the user can read.
user=4711
install -m 0400 -o $user -g $user "$etc/secrets.toml" "$work/credentials/secrets.toml"
chown $user:$user "$work"/{state,logs,credentials}
chmod "$(of StateDirectoryMode)" "$work/state"
chmod "$(of LogsDirectoryMode)" "$work/logs"
chmod 0500 "$work/credentials"

step "The unit's filter, as bytes for the kernel"
# Debian's package is for Debian's Python.
/usr/bin/python3 deploy/try/filter.py $unit >"$work/filter"

# One command of the unit within what the unit leaves it.
confined() {
  local words
  read -ra words <<<"${1//\$\{CREDENTIALS_DIRECTORY\}//run/credentials/contact-governor.service}"
  ulimit -n "$(of LimitNOFILE)" 2>/dev/null || true
  umask "$(of UMask)"
  exec setpriv --reuid $user --regid $user --clear-groups --bounding-set -all --no-new-privs \
    bwrap --unshare-user --unshare-ipc --unshare-uts "${machine[@]}" --tmpfs /tmp --tmpfs /home --tmpfs /root \
    --ro-bind "$work/credentials" /run/credentials/contact-governor.service \
    --ro-bind "$work/etc/settings.toml" /etc/contact-governor/settings.toml \
    --ro-bind "$work/etc" /run/etc --symlink /run/etc/policy.toml /etc/contact-governor/policy.toml \
    --ro-bind "$program" /run/contact-governor --remount-ro /etc --remount-ro /run \
    --tmpfs /var/lib --bind "$work/state" /var/lib/contact-governor --remount-ro /var/lib \
    --tmpfs /var/log --bind "$work/logs" /var/log/contact-governor --remount-ro /var/log \
    --chdir "$(of WorkingDirectory)" --clearenv --setenv CREDENTIALS_DIRECTORY /run/credentials/contact-governor.service \
    --seccomp 9 9<"$work/filter" "${words[@]/#\/usr\/bin\/contact-governor/\/run\/contact-governor}"
}
declare -A pids
start() {
  (confined "$(of ExecStartPre)") >>"$work/governor.log" 2>&1 || fail "ExecStartPre"
  (confined "$(of ExecStart)") >>"$work/governor.log" 2>&1 &
  pids[governor]=$!
  (confined "$(of ExecStartPost)") >>"$work/governor.log" 2>&1 || fail "ExecStartPost"
}
inner() { pgrep -P "${pids[$1]}" -f " serve " | tail -n 1; }
ask() { curl -s http://127.0.0.1:8080/v1/preflight -H "authorization: Bearer $key" -H 'content-type: application/json' -d "$1"; }
question='{"contact_id": "m-1", "customer": "ada", "channel": "email", "purpose": "marketing", "delivery": "template"}'

step "ExecStartPre, ExecStart, ExecStartPost"
start
pid=$(inner governor)
expect "it is another user" "$user" "$(ps -o uid= -p "$pid")"
expect "it has no capability" 0000000000000000 "$(sed -n 's/^CapEff:\s*//p' /proc/"$pid"/status)"
expect "it can get no privilege" 1 "$(sed -n 's/^NoNewPrivs:\s*//p' /proc/"$pid"/status)"
expect "its system calls are filtered" 2 "$(sed -n 's/^Seccomp:\s*//p' /proc/"$pid"/status)"
expect "without a key nobody is answered" 401 \
  "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/v1/preflight -d "$question")"
first=$(ask "$question" | jq -r .send_at)
expect "an ask is allowed" T "$first"
expect "records are its own alone" 700 "$(stat -c %a "$work/state")"
expect "so are its files" 600 "$(find "$work/state/data" -type f -printf '%m\n' | sort -u | tr '\n' ' ')"

step "ExecReload, with a policy that has a mistake, then with a sound one"
mistake "$work/etc/policy.toml" governor http://127.0.0.1:8080 "$key"

step "SIGTERM under load, as systemctl restart sends it"
printf %s "$key" >"$work/key"
python3 deploy/try/load.py --seconds 12 --key "$work/key" --prefix roll --customers 2000 --cap 1 http://127.0.0.1:8080 >"$work/load" &
load=$!
soon "the load has begun" sighted http://127.0.0.1:8080
sleep 2
stop governor
start
wait $load && status=0 || status=$?
cat "$work/load"
expect "no answer was lost, and no cap was passed" 0 "$status"
expect "what was answered before is there" "$first" "$(ask "$question" | jq -r .send_at)"

step "kill -9, and what Restart=on-failure does"
kill -9 "$(inner governor)"
wait "${pids[governor]}" 2>/dev/null || true
start
expect "what was answered before is there" "$first" "$(ask "$question" | jq -r .send_at)"
stop governor
finish
