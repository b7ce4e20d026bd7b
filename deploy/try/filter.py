"""The unit's SystemCallFilter= and RestrictAddressFamilies= as the program that the kernel runs, on standard output.

The sets (@system-service, …) are what this machine's `systemd-analyze syscall-filter` says they are.
"""

import errno
import re
import socket
import subprocess
import sys

import seccomp


def members(name):
    said = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True).stdout
    words = [line.split("#")[0].strip() for line in said.splitlines()[1:]]
    for word in filter(None, words):
        yield from members(word) if word.startswith("@") else [word]


unit = open(sys.argv[1]).read()
allowed = set()
for line in re.findall(r"^SystemCallFilter=(.+)$", unit, re.M):
    names = {call for name in line.lstrip("~").split() for call in members(name)}
    allowed = allowed - names if line.startswith("~") else allowed | names
allowed |= set(members("@default")) | {"execve"}

filter = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
families = re.search(r"^RestrictAddressFamilies=(.+)$", unit, re.M)[1].split()
for call in sorted(allowed):
    try:
        if call == "socket":
            for family in families:
                filter.add_rule(seccomp.ALLOW, call, seccomp.Arg(0, seccomp.EQ, getattr(socket, family)))
        else:
            filter.add_rule(seccomp.ALLOW, call)
    except RuntimeError:
        # A call that another architecture has.
        pass
filter.export_bpf(sys.stdout.buffer)
