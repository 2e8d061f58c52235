# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a virtual host and launches the module there, each time in a process of its own.

An emulated host needs longer to import the module than for most of what a run does; here it is imported once. A
launch is a connection to the socket: one line of JSON comes, ``arguments`` for the module and ``fault`` for the hook;
what the module says on standard output and standard error goes back, until it has ended.
"""

from __future__ import annotations

import io
import json
import os
import socket
import sys
import traceback

import sitecustomize as fault_hook

from ansible_collections.barestore.storage.plugins.module_utils.host import work  # noqa: F401  (imported late by a run)
from ansible_collections.barestore.storage.plugins.modules import host_storage

SOCKET = "/run/fault/launch"


def main() -> None:
    """Launch until somebody ends this process."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(SOCKET)
        server.listen()
        while True:
            connection = server.accept()[0]
            with connection:
                if not os.fork():
                    launch(connection)
            _reap()


def launch(connection: socket.socket) -> None:
    """Be the module, as it was started by somebody who listens."""
    os.setsid()
    with connection.makefile() as lines:
        told = json.loads(lines.readline())
    for number in (1, 2):
        os.dup2(connection.fileno(), number)
    connection.close()
    sys.stdin = io.TextIOWrapper(io.BytesIO(json.dumps({"ANSIBLE_MODULE_ARGS": told["arguments"]}).encode()))
    if told["fault"]:
        fault_hook.Hook(told["fault"]).install()
    code = 1
    try:
        host_storage.main()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _reap() -> None:
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


if __name__ == "__main__":
    main()
