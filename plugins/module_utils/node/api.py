# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asks whether an API server answers; no process, no certificate, no rights."""

from __future__ import annotations

import http.client
import ssl
import time


def why_silent(host: str, port: int, seconds: float) -> str:
    """Empty when ``https://host:port/livez`` answers ok within that time, else why it did not, in a few words."""
    end = time.monotonic() + seconds
    while True:
        why = _ask(host, port)
        if not why or time.monotonic() >= end:
            return why
        time.sleep(0.5)


def _ask(host: str, port: int) -> str:
    # Who answers is not asked here: nothing secret is sent, and kubectl checks the certificate when it matters.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection(host, port, timeout=5, context=context)
    try:
        connection.request("GET", "/livez")
        answer = connection.getresponse()
        body = answer.read(200).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return "" if answer.status in (200, 401, 403) else f"status {answer.status}: {body}"
