# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that subcommands share, and the end that all of them have: sentences and an exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from barestore.errors import Failed
from barestore.screen import Screen, say


@dataclass(frozen=True)
class Options:
    """What every subcommand is told."""

    inventory: Path | None = None
    limit: str = ""
    as_json: bool = False
    verbose: bool = False
    workers: tuple[str, ...] = ()
    screen: Screen = field(default_factory=Screen)

    def emit(self, answer: Mapping[str, Any]) -> None:
        """Print JSON for programs."""
        print(json.dumps(answer, indent=2, ensure_ascii=False))


_FIRST = (
    (
        "inventory",
        Path | None,
        None,
        typer.Option("-i", "--inventory", help="A folder or a file.", show_default="that of ansible.cfg"),
    ),
    (
        "limit",
        str,
        "",
        typer.Option("-l", "--limit", help="Hosts or groups, as Ansible takes them.", show_default=False),
    ),
)
_RUN = (
    (
        "worker",
        list[str] | None,
        None,
        typer.Option(
            help="Runs a share of the hosts elsewhere, such as 'ssh controller2 ansible-runner worker'; repeatable."
        ),
    ),
    ("verbose", bool, False, typer.Option("-v", "--verbose", help="Show the commands of each action.")),
)


def sharing(
    *, runs: bool = False, json_help: str = "For programs."
) -> Callable[[Callable[..., int]], Callable[..., None]]:
    """Give a subcommand ``options`` as its first argument, from the command line, and end with its exit code.

    ``runs`` is for those that may run Ansible elsewhere and show actions.
    """
    last = (*(_RUN if runs else ()), ("as_json", bool, False, typer.Option("--json", help=json_help)))

    def decorate(command: Callable[..., int]) -> Callable[..., None]:
        hints = get_type_hints(command, include_extras=True)
        own = [one.replace(annotation=hints[one.name]) for one in list(signature(command).parameters.values())[1:]]

        def told(**given: Any) -> None:
            options = Options(
                given.pop("inventory"),
                given.pop("limit"),
                given.pop("as_json"),
                given.pop("verbose", False),
                tuple(given.pop("worker", None) or ()),
            )
            _end(lambda: command(options, **given), options.as_json)

        parameters = [_parameter(*one) for one in _FIRST] + own + [_parameter(*one) for one in last]
        told.__name__, told.__doc__, told.__module__ = command.__name__, command.__doc__, command.__module__
        # What Typer looks at.
        told.__signature__ = signature(told).replace(  # type: ignore[attr-defined]
            parameters=[one.replace(kind=Parameter.KEYWORD_ONLY) for one in parameters]
        )
        told.__annotations__ = {one.name: one.annotation for one in parameters}
        return told

    return decorate


def _parameter(name: str, kind: Any, default: Any, option: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])


def _end(run: Callable[[], int], as_json: bool) -> None:
    """Run a command; whatever a person can act upon ends it with sentences and not with a traceback."""
    try:
        code = int(run())
        sys.stdout.flush()
    except Failed as error:
        if as_json:
            print(json.dumps({"exit": 1, "error": str(error)}, ensure_ascii=False))
        else:
            say(str(error))
        code = 1
    except KeyboardInterrupt:
        say("Interrupted.")
        code = 1
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would complain when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    raise typer.Exit(code)
