"""`make offline`: a command in a network of its own that has loopback and nothing else, as with the cable pulled out.

`python -m tests.supply.offline COMMAND…`. Linux alone has this; where it is not permitted, nothing is started. With
`--wired` first there is a cable from this machine to itself, too: where there is loopback alone, Chromium tells pages
that they are offline, and they keep what was typed instead of sending it, as they should.
"""

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

NEW_NETWORK, NEW_USER = 0x40000000, 0x10000000
"""CLONE_NEWNET and CLONE_NEWUSER of linux/sched.h; Python has them from 3.12 on."""
READ_FLAGS, WRITE_FLAGS, UP = 0x8913, 0x8914, 0x1
"""SIOCGIFFLAGS, SIOCSIFFLAGS and IFF_UP of linux/if.h."""
REQUEST = "16sh22x"
"""struct ifreq: a name and its flags."""
REFUSED = 3
CABLE = ("link add nowhere type veth peer name beyond", "addr add 192.0.2.1/32 dev nowhere", "link set nowhere up",
         "link set beyond up")  # fmt: skip
"""Both ends are here, and the address is one of those that documents use (RFC 5737)."""


class NotPermitted(Exception):
    """This machine lets nobody make a network of one's own."""


def cut_off() -> None:
    """Leave this machine's network for an empty one with loopback, for this process and all it starts.

    Whoever is not root becomes the owner of the new network by a user namespace, under the same number.
    Raises NotPermitted.
    """
    user, group = os.getuid(), os.getgid()
    kinds = NEW_NETWORK if user == 0 else NEW_NETWORK | NEW_USER
    try:
        if ctypes.CDLL(None, use_errno=True).unshare(kinds) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        if user != 0:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        _loopback_up()
    except (AttributeError, OSError) as failure:
        raise NotPermitted(str(failure)) from failure


def wire() -> None:
    """Lay the cable that leads nowhere. Raises NotPermitted; only root may, and only with iproute2."""
    try:
        for step in CABLE:
            subprocess.run(["ip", *step.split()], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as failure:
        raise NotPermitted(str(failure)) from failure


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack(REQUEST, b"lo", 0)
        name, flags = struct.unpack(REQUEST, fcntl.ioctl(any_socket, READ_FLAGS, asked))
        fcntl.ioctl(any_socket, WRITE_FLAGS, struct.pack(REQUEST, name, flags | UP))


if __name__ == "__main__":
    wired = sys.argv[1] == "--wired"
    command = sys.argv[1 + wired :]
    try:
        cut_off()
        if wired:
            wire()
    except NotPermitted as refused:
        sys.stderr.write(f"没有运行：这台机器不准另开网络 / NOT RUN, no network namespace here: {refused}\n")
        sys.exit(REFUSED)
    os.execvp(command[0], command)  # noqa: S606 - the command this was called for
