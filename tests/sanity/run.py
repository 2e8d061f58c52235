# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs every test of `ansible-test sanity` on a copy of what the collection ships.

A copy, because ansible-test wants to stand in ansible_collections/<namespace>/<name>, and inside the links of
collections/ it finds no file and passes without a word. Tests that did not run are listed with the reason.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/build"))

from shipped import allowed, tracked  # noqa: E402

COPY = ROOT / "build/ansible_collections/barestore/storage"
# ansible-test keeps its environments in $HOME/.ansible/test. Here they live and die with .venv.
HOME = ROOT / ".venv/ansible-test"
CONFIG = "tests/config.yml"
# An index that drops connections for a while shall not fail the gate: this many tries are about four minutes.
PIP_CONF = "[global]\nretries = 10\n"
GET_PIP = '''"""Stands in for get-pip.py, which ansible-test would download: installs the pip beside it."""
import glob
import os
import sys

wheel = glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "pip-%s-*.whl"))[0]
sys.path.insert(0, wheel)
options = [a for a in sys.argv[1:] if a not in ("--no-setuptools", "--no-wheel")]
from pip._internal.cli.main import main

sys.exit(main(["install"] + [wheel if a.startswith("pip==") else a for a in options]))
'''


def copy() -> None:
    shutil.rmtree(COPY, ignore_errors=True)
    for name in tracked():
        if allowed(name) or name == CONFIG:
            target = COPY / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    for argv in (["git", "init", "--quiet"], ["git", "add", "--all"]):
        subprocess.run(argv, cwd=COPY, check=True)


def bootstrap_pip() -> None:
    """ansible-test downloads get-pip.py from a host of its own; pip from the package index does as well."""
    from ansible_test._internal import python_requirements  # type: ignore[import-untyped]

    source = Path(python_requirements.__file__).read_text(encoding="utf-8")
    found = re.search(r"pip='([0-9.]+)'", source)
    if not found:
        raise SystemExit("sanity: ansible-test no longer says which pip it wants; see bootstrap_pip")
    version = found.group(1)
    cache = HOME / ".ansible/test/cache"
    script = cache / f"get_pip_{version.replace('.', '_')}.py"
    if script.exists():
        return
    cache.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "-d",
            str(cache),
            f"pip=={version}",
        ],
        check=True,
    )
    script.write_text(GET_PIP % version, encoding="utf-8")


def patient_pip() -> None:
    config = HOME / ".config/pip/pip.conf"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(PIP_CONF, encoding="utf-8")


def starts(python: Path, version: str) -> Path | None:
    """The interpreter behind a name, or nothing where it is a shim that starts none."""
    code = "import sys, venv; print('%d.%d' % sys.version_info[:2], sys.executable)"
    try:
        done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return None
    said = done.stdout.split()
    return Path(said[1]) if done.returncode == 0 and len(said) == 2 and said[0] == version else None


def search_path() -> str:
    """PATH with one real python3.N for each version found, and no folder of shims in front of it."""
    links = HOME / "bin"
    shutil.rmtree(links, ignore_errors=True)
    links.mkdir(parents=True)
    folders = [Path(name) for name in os.environ.get("PATH", os.defpath).split(os.pathsep) if name]
    pyenv = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv")))
    candidates = [*folders, *sorted(pyenv.glob("versions/*/bin"))]
    broken = set()
    for minor in range(8, 16):
        version = f"3.{minor}"
        for folder in candidates:
            python = folder / f"python{version}"
            if not python.exists():
                continue
            if real := starts(python, version):
                (links / python.name).symlink_to(real)
                break
            broken.add(folder)
    usable = [str(folder) for folder in folders if folder not in broken]
    return os.pathsep.join([str(links), str(Path(sys.executable).parent), *usable])


def environment() -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
    real_home = Path.home()
    env.setdefault("PIP_CACHE_DIR", str(real_home / ".cache/pip"))
    for config in (real_home / ".config/pip/pip.conf", real_home / ".pip/pip.conf"):
        if config.exists():
            env.setdefault("PIP_CONFIG_FILE", str(config))
    return {**env, "HOME": str(HOME), "PATH": search_path()}


def shadows(folder: Path) -> list[str]:
    """Files in a folder for temporary files that Python takes for its own modules.

    ansible-test starts its scripts in /tmp (it passes no TMPDIR on), and Python imports from beside a script first.
    """
    suspects = (path for path in folder.iterdir() if path.stem in sys.stdlib_module_names)
    # Not Path.is_file, which raises where a folder of somebody else may not be searched.
    return sorted(str(path) for path in suspects if path.suffix == ".py" or os.path.isfile(path / "__init__.py"))


def nothing_found(test: str) -> str:
    if test.endswith("on Python 3.8"):
        return f"{CONFIG} asks for 3.9 or newer"
    return "no file of its kind in the collection"


def not_run(output: str) -> list[str]:
    """Each test that did not run, with the reason that ansible-test gave."""
    said = []
    current = ""
    for line in output.splitlines():
        if found := re.match(r'Running sanity test "(.+?)"(?: on Python (\S+))?', line):
            current = found.group(1) + (f" on Python {found.group(2)}" if found.group(2) else "")
        elif "No tests applicable" in line:
            said.append(f"{current}: {nothing_found(current)}")
        elif found := re.match(r'WARNING: Skipping sanity test "(.+?)" on Python (\S+) (.*)', line):
            said.append(f"{found.group(1)} on Python {found.group(2)}: skipped {found.group(3)}")
        elif "Skipping tests disabled by default" in line:
            said.append(f"disabled by ansible-test itself: {line.rpartition(': ')[2]}")
    return list(dict.fromkeys(said))  # ansible-test repeats its warnings at the end


def main() -> int:
    if found := shadows(Path("/tmp")):
        print(f"{', '.join(found)}: Python would take this for a module of its own library; move it elsewhere")
        return 1
    copy()
    bootstrap_pip()
    patient_pip()
    done = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-test"), "sanity", "--color", "no", "-v"],
        cwd=COPY,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    (ROOT / "build/sanity.log").write_text(done.stdout, encoding="utf-8")
    left_out = not_run(done.stdout)
    ran = len(re.findall(r"^Running sanity test ", done.stdout, re.MULTILINE)) - sum(
        "Python 3.8:" in line or "no file of its kind" in line for line in left_out
    )
    if done.returncode:
        chatter = ("Run command", "Running sanity", "Execute command", "No tests applicable", "Initializing")
        print("\n".join(line for line in done.stdout.splitlines() if not line.startswith(chatter)))
        return 1
    for line in left_out:
        print(f"not run: {line}")
    controller = f"{sys.version_info.major}.{sys.version_info.minor}"
    if not ran or any(line.startswith(f"compile on Python {controller}:") for line in left_out):
        print("ansible-test compiled no file, so its success says nothing: it looked at the wrong folder")
        return 1
    print(f"{ran} sanity tests passed, {len(left_out)} did not run; the whole output is in build/sanity.log")
    return 0


if __name__ == "__main__":
    sys.exit(main())
