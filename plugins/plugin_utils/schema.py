# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The schemas of the collection, and what a document says against them as problems in plain words."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Callable

from ..module_utils.host.problems import Path, Problem, did_you_mean, near_name
from .yaml_words import article, describe, flow, quoted_scalar

# Here and not where they are used: what the first action of a play imports, none of Ansible's later workers does again.
with suppress(ImportError):
    import jsonschema
    import referencing

TextOf = Callable[[Path], "str | None"]
_FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(__file__))), "schemas")


def schema_folder() -> str:
    """Where the schemas lie: beside ``plugins`` in the collection, or in the repository it links to."""
    if os.path.isdir(_FOLDER):
        return _FOLDER
    return os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))), "schemas")


@functools.cache
def load_schemas() -> Mapping[str, Mapping[str, Any]]:
    """Every schema by its ``$id``, which is its file name."""
    schemas = {}
    for name in sorted(os.listdir(schema_folder())):
        if name.endswith(".schema.json"):
            with open(os.path.join(schema_folder(), name), encoding="utf-8") as stream:
                schemas[name] = json.load(stream)
    return schemas


@functools.cache
def _validator(reference: str) -> Any:
    resources = [(name, referencing.Resource.from_contents(schema)) for name, schema in load_schemas().items()]
    registry: referencing.Registry[Any] = referencing.Registry().with_resources(resources)
    return jsonschema.Draft202012Validator({"$ref": reference}, registry=registry)


def problems(reference: str, instance: object, text_of: TextOf = lambda path: None) -> list[Problem]:
    """What ``instance`` says against the schema ``reference`` (a file name, with ``#`` and a pointer or not).

    ``text_of`` gives the text of a value or key as it was typed, so that ``0755`` is not called 493.
    """
    found = list(_odd_keys(instance, (), text_of))
    if not found:  # patterns cannot be tried on keys that are no text
        for error in _validator(reference).iter_errors(instance):
            found.extend(_expand(error, text_of))
    return list(dict.fromkeys(found))


def _odd_keys(value: object, path: Path, text_of: TextOf) -> Iterator[Problem]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            here = (*path, key)
            if isinstance(key, str):
                yield from _odd_keys(each, here, text_of)
                continue
            typed = text_of(here)
            shown = f"'{typed}'" if typed is not None else "a key"
            yield Problem(
                here, f"YAML reads {shown} as {article(key)}, and keys are texts", _quote_key(typed, key), True
            )
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _odd_keys(each, (*path, index), text_of)


def _quote_key(typed: str | None, key: object) -> str:
    if typed is None and isinstance(key, bool):
        typed = "on" if key else "off"
    return f"put it in quotes: '{typed if typed is not None else key}'"


def _expand(error: Any, text_of: TextOf) -> Iterator[Problem]:
    """One jsonschema error as problems; its own wording is never used."""
    path: Path = tuple(error.absolute_path)
    if "propertyNames" in error.schema_path:
        yield Problem(
            (*path, error.instance), f"'{error.instance}' cannot be a name here", _advice(error, "rename it"), True
        )
        return
    if error.schema.get("writeOnly"):
        # Whoever wrote a secret in the wrong place must not find it in a log as well.
        yield Problem(path, "this cannot be right", _advice(error, "see the reference"))
        return
    if error.instance is None and error.validator in ("type", "enum", "const", "anyOf"):
        yield Problem(path, "nothing is written here", _advice(error, _wanted(error)))
        return
    say = _WORDS.get(error.validator, _say_other)
    yield from say(error, path, text_of)


def _advice(error: Any, otherwise: str) -> str:
    return str(error.schema.get("errorMessage", otherwise))


def _say_other(error: Any, path: Path, text_of: TextOf) -> Iterator[Problem]:
    yield Problem(path, f"found {describe(error.instance, text_of(path))}", _advice(error, "see the reference"))


def _wanted(error: Any) -> str:
    """What belongs here, where the schema has no words for it."""
    schema = error.schema
    if "enum" in schema:
        return "write " + _or_list([each for each in schema["enum"] if isinstance(each, str)] or schema["enum"])
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if kinds == ["integer"]:
        return f"write {_span(schema)}"
    words = "write " + " or ".join(_TYPES[name] for name in kinds)
    example = _example(schema)
    return words + (f", such as {example}" if "object" in kinds and len(example) < _LONGEST_EXAMPLE else "")


def _span(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None and high is None:
        return "a whole number"
    if high is None:
        return f"a whole number of at least {low}"
    return f"a whole number from {low} to {high}" if low is not None else f"a whole number of at most {high}"


def _say_type(error: Any, path: Path, text_of: TextOf) -> Iterator[Problem]:
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    typed = text_of(path)
    hint = _advice(error, _wanted(error))
    if "string" in wanted:
        hint = quoted_scalar(error.instance, typed, error.schema.get("pattern")) or hint
    yield Problem(path, f"found {describe(error.instance, typed)}", hint)


_LONGEST_EXAMPLE = 100
_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def _say_enum(error: Any, path: Path, text_of: TextOf) -> Iterator[Problem]:
    words = [word for word in error.validator_value if isinstance(word, str)]
    hint = _advice(error, "write " + _or_list(words or error.validator_value))
    near = near_name(error.instance, words) if isinstance(error.instance, str) else None
    if near is not None:
        hint = f"did you mean '{near}'? Otherwise {hint}"
    yield Problem(path, f"found {describe(error.instance, text_of(path))}", hint)


def _say_const(error: Any, path: Path, text_of: TextOf) -> Iterator[Problem]:
    word = json.dumps(error.validator_value).strip('"')
    yield Problem(path, f"found {describe(error.instance, text_of(path))}", _advice(error, f"write {word}"))


def _or_list(words: Sequence[object]) -> str:
    texts = [str(word) for word in words]
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + " or " + texts[-1]


def _say_additional(error: Any, path: Path, text_of: TextOf) -> Iterator[Problem]:
    known = error.schema.get("properties", {})
    for key in error.instance:
        if key not in known:
            yield Problem((*path, key), f"'{key}' is no key here", did_you_mean(key, known), True)


def _say_required(error: Any, path: Path, text_of: TextOf) -> Iterator[Problem]:
    known = error.schema.get("properties", {})
    for key in error.validator_value:
        if key not in error.instance:
            unknown = [each for each in error.instance if each not in known]
            if near_name(key, unknown) is not None:
                continue  # it is there, misspelt, and that is said at its place
            example = _example(known.get(key, {}))
            yield Problem(path, f"the key '{key}' is missing", f"add it, such as {key}: {example}")


def _example(schema: Mapping[str, Any]) -> str:
    for target in (schema, _referred(schema)):
        if target.get("examples"):
            return flow(target["examples"][0])
        if target.get("enum"):
            return flow(target["enum"][0])
    return "..."


def _referred(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name, _hash, pointer = str(schema.get("$ref", "")).partition("#")
    candidates = [load_schemas()[name]] if name else list(load_schemas().values())
    for candidate in candidates:
        target: Any = candidate
        for step in filter(None, pointer.split("/")):
            target = target.get(step, {}) if isinstance(target, Mapping) else {}
        if target and pointer:
            found: Mapping[str, Any] = target
            return found
    return {}


def _say_any_of(error: Any, path: Path, text_of: TextOf) -> Iterator[Problem]:
    """Go into the one branch that has the type of what was written; otherwise say what all of them take."""
    branches: dict[int, list[Any]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    fitting = [inner for inner in branches.values() if not any(_wrong_type(each) for each in inner)]
    if len(fitting) == 1:
        for inner in fitting[0]:
            if inner.validator in ("enum", "const") and not inner.relative_path:
                inner.schema = {**inner.schema, **_only(error.schema, "errorMessage")}
            yield from _expand(inner, text_of)
        return
    yield from _say_type_of_branches(error, path, text_of)


def _only(schema: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {key: schema[key]} if key in schema else {}


def _say_type_of_branches(error: Any, path: Path, text_of: TextOf) -> Iterator[Problem]:
    yield Problem(path, f"found {describe(error.instance, text_of(path))}", _advice(error, "see the reference"))


def _wrong_type(error: Any) -> bool:
    """Whether the value as a whole is of another type than this branch takes."""
    if error.relative_path:
        return False
    if error.validator == "type":
        return True
    if error.validator in ("const", "enum"):
        allowed = error.validator_value if error.validator == "enum" else [error.validator_value]
        return type(error.instance) not in {type(value) for value in allowed} and not any(
            isinstance(error.instance, type(value)) and not isinstance(error.instance, bool) for value in allowed
        )
    return False


def _say_bound(error: Any, path: Path, text_of: TextOf) -> Iterator[Problem]:
    hint = _advice(error, f"write {_span(error.schema)}")
    yield Problem(path, f"found {describe(error.instance, text_of(path))}", hint)


def _say_too_few(error: Any, path: Path, text_of: TextOf) -> Iterator[Problem]:
    example = _example(error.schema)
    yield Problem(path, "this is empty", _advice(error, f"write at least one entry, such as {example}"))


def _say_too_long(error: Any, path: Path, text_of: TextOf) -> Iterator[Problem]:
    yield Problem(
        path,
        f"'{error.instance}' has {len(error.instance)} characters",
        f"write at most {error.validator_value}",
    )


def _say_unique(error: Any, path: Path, text_of: TextOf) -> Iterator[Problem]:
    for index, value in enumerate(error.instance):
        if value in error.instance[:index]:
            yield Problem((*path, index), f"{describe(value, None)} is listed twice", "remove one of them")


def _say_one_of(error: Any, path: Path, text_of: TextOf) -> Iterator[Problem]:
    """All our oneOf name keys of which exactly one must be there."""
    if not isinstance(error.instance, Mapping):
        return  # its type is said already
    choices = [branch["required"][0] for branch in error.validator_value]
    present = [key for key in choices if key in error.instance]
    message = "found both " + " and ".join(f"'{key}'" for key in present) if present else "none of the keys is here"
    if not present:
        known = error.schema.get("properties", {})
        if any(key not in known for key in error.instance):
            return  # a misspelt key, which is said already
        message = "the kind is missing" if "width" in known else "the disk is not named"
        message = "the number of copies is missing" if "replicas" in known else message
    yield Problem(path, message, _advice(error, "write one of " + ", ".join(choices)))


_WORDS: dict[str, Callable[[Any, Path, TextOf], Iterator[Problem]]] = {
    "type": _say_type,
    "enum": _say_enum,
    "const": _say_const,
    "additionalProperties": _say_additional,
    "required": _say_required,
    "anyOf": _say_any_of,
    "oneOf": _say_one_of,
    "minimum": _say_bound,
    "maximum": _say_bound,
    "minItems": _say_too_few,
    "minLength": _say_too_few,
    "minProperties": _say_too_few,
    "maxLength": _say_too_long,
    "uniqueItems": _say_unique,
}
