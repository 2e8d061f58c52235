# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.barestore.storage.plugins.plugin_utils.located_yaml import YamlSyntaxError, locate_yaml

TEXT = """\
# a comment
host_storage:
  disks:
    pool: {match: {rotational: true}, count: 6}
  partitions:
    - &first
      size: 0755
    - <<: *first
      on: x
  zfs: {tank: {data: {mirror: [pool]}}}
"""


def test_keys_and_values_have_places() -> None:
    located = locate_yaml(TEXT, "a.yml")
    assert str(located.key_place(("host_storage", "disks", "pool", "count"))) == "a.yml:4:39"
    assert str(located.value_place(("host_storage", "disks", "pool", "count"))) == "a.yml:4:46"
    assert str(located.value_place(("host_storage", "disks"))) == "a.yml:3:3"


def test_steps_that_nobody_wrote_are_left_out() -> None:
    located = locate_yaml(TEXT, "a.yml")
    written = located.value_place(("host_storage", "zfs", "tank", "data", "mirror", 0))
    assert located.value_place(("host_storage", "zfs", "tank", "data", 0, "mirror", 0)) == written
    assert str(located.value_place(("host_storage", "lvm", "fast"))) == "a.yml:2:1"


def test_what_was_typed_is_kept() -> None:
    located = locate_yaml(TEXT, "a.yml")
    assert located.texts[("host_storage", "partitions", 0, "size")] == "0755"
    assert located.texts[("host_storage", "partitions", 1, "size")] == "0755"


def test_a_key_that_is_written_twice_has_both_places() -> None:
    located = locate_yaml("a:\n  b: 1\n  c: 2\n  b: 3\n", "a.yml")
    assert [(each.path, each.first.line, each.second.line) for each in located.duplicates] == [(("a", "b"), 2, 4)]


def test_an_anchor_that_holds_itself_ends() -> None:
    assert locate_yaml("a: &x [*x]\n", "a.yml").values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n\t- b\n", "a.yml:2:1: YAML does not allow tabs here; indent with spaces"),
        ("a: b: c\n", "a.yml:1:5: a ':' stands where YAML expects no key; quote the text, or check the indentation"),
        ("a: [1, 2\nb: 1\n", "a.yml:2:2: a ',' or the closing bracket is missing"),
        ("a: *nothing\n", "a.yml:1:4: this alias (*name) has no anchor; define the anchor (&name) above its use"),
        ("a:\n  b: 1\n c: 2\n", "a.yml:3:2: YAML expects a key of the block above; check the indentation"),
        ("a: 'x\n", "a.yml:1:4: a quote opens here and is not closed"),
        ("a: %x\n", "a.yml:1:4: no text can start with '%' in YAML; put it in quotes"),
        ("a: 1\n---\nb: 1\n", "a.yml:2:1: a second document starts here; keep one document in a file"),
        ("a: {b: c\n", "a.yml:2:1: a ',' or the closing bracket is missing"),
        ("a: \x07\n", "a.yml:1:4: a character that YAML does not allow"),
    ],
)
def test_what_is_no_yaml_gives_a_sentence(text: str, expected: str) -> None:
    with pytest.raises(YamlSyntaxError) as error:
        locate_yaml(text, "a.yml")
    assert f"{error.value.place}: {error.value}" == expected
