"""What this operating system offers for shutting a learner's program in, found out without doing any harm.

Imports the standard library only. Linux only; elsewhere everything is "no". Each probe asks the kernel in a child
process or with a question that changes nothing, for what a version number promises a container may still forbid.
"""

from __future__ import annotations

import ctypes
import os
import sys

CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWPID = 0x10000000, 0x40000000, 0x20000000
LANDLOCK_CREATE_RULESET, ASK_VERSION = 444, 1  # the same number on every architecture
SECCOMP_GET_ACTION_AVAIL = 2
SECCOMP_CALL = {"x86_64": 317, "aarch64": 277}
SECCOMP_RET_ERRNO = 0x00050000


def libc() -> ctypes.CDLL:
    """The C library of this process."""
    return ctypes.CDLL(None, use_errno=True)


def has_namespaces() -> bool:
    """True when a program without rights may get a network and a process table of its own."""
    if sys.platform != "linux":
        return False
    child = os.fork()  # unshare changes the process that calls it, so a short-lived child does
    if child == 0:
        os._exit(0 if libc().unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWPID) == 0 else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def landlock_abi() -> int:
    """The version of Landlock, which limits files and ports; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, libc().syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(ASK_VERSION)))


def has_seccomp() -> bool:
    """True when a program may forbid itself single system calls."""
    number = SECCOMP_CALL.get(os.uname().machine) if sys.platform == "linux" else None
    if number is None:
        return False
    action = ctypes.c_uint32(SECCOMP_RET_ERRNO)
    return libc().syscall(number, ctypes.c_uint(SECCOMP_GET_ACTION_AVAIL), ctypes.c_uint(0), ctypes.byref(action)) == 0
