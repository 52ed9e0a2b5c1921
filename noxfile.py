"""Every check of the project, each a session: ``nox`` runs the default ones, ``nox -l`` lists all.

Interpreters are those that really run on this machine; nothing but packages is ever downloaded.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent
SUPPORTED = ("3.11", "3.12", "3.13")
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PACKAGE = "aip_trio"
FOLDERS = (PACKAGE, "tests", "examples", "benchmarks", "soak")
#: Tests that start programs again and again: most of the time, and the same on every interpreter.
PROGRAMS = ("tests/benchmarks", "tests/cli", "tests/examples", "tests/interop", "tests/soak")
CODE = tuple(name for name in FOLDERS if any((ROOT / name).rglob("*.py")))


def pyenv_root() -> Path:
    """Where pyenv would be."""
    if root := os.environ.get("PYENV_ROOT"):
        return Path(root)
    if pyenv := shutil.which("pyenv"):
        answer = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True)
        return Path(answer.stdout.strip())
    return Path.home() / ".pyenv"


def wake_pyenv() -> None:
    """Name pyenv's newest patch of each supported version in PYENV_VERSION, the default one first.

    Its shims ``pythonX.Y`` stand on PATH at all times, but fail unless PYENV_VERSION selects an X.Y.
    """
    root = pyenv_root()
    versions = root / "versions"
    if not versions.is_dir():
        return
    newest: dict[str, int] = {}
    for folder in versions.iterdir():
        match = re.fullmatch(r"(3\.\d+)\.(\d+)", folder.name)
        if match and match[1] in SUPPORTED and (folder / "bin" / f"python{match[1]}").exists():
            newest[match[1]] = max(newest.get(match[1], 0), int(match[2]))
    if "PYENV_VERSION" in os.environ:
        default = os.environ["PYENV_VERSION"].split(":")
    else:
        default = (root / "version").read_text().split() if (root / "version").is_file() else []
    chosen = [name for name in default if name == "system" or (versions / name / "bin").is_dir()]
    covered = {name.rpartition(".")[0] for name in chosen}
    chosen += [f"{minor}.{newest[minor]}" for minor in SUPPORTED if minor in newest and minor not in covered]
    if chosen:
        os.environ["PYENV_VERSION"] = ":".join(chosen)


def runs(version: str) -> bool:
    """Whether ``pythonX.Y`` starts, and is that version."""
    command = shutil.which(f"python{version}")
    if command is None:
        return False
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    probe = subprocess.run([command, "-c", code], capture_output=True, text=True)
    return probe.returncode == 0 and probe.stdout.strip() == version


def interpreters() -> list[str]:
    """The supported versions present; in CI the lowest and the highest of them."""
    present = [version for version in SUPPORTED if runs(version)]
    if not present:
        # No pythonX.Y on PATH: what runs nox is what there is.
        present = ["{}.{}".format(*sys.version_info)]
    if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        present = list(dict.fromkeys((present[0], present[-1])))
    return present


wake_pyenv()
PYTHONS = interpreters()

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "virtualenv"
nox.options.download_python = "never"
# PYTHONS holds what runs here: one that is then not found is a fault, not something to skip.
nox.options.error_on_missing_interpreters = True
nox.options.reuse_venv = "yes"
# The tests come last, so that pytest's closing line is theirs.
nox.options.sessions = ["lint", "types", "imports", "docs", "examples", "peers", "tests"]


def group(name: str) -> list[str]:
    """The requirements of a dependency group of pyproject.toml."""
    return list(nox.project.dependency_groups(PYPROJECT, name))


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff (rules and format), flake8-async for what Ruff lacks, the news fragments."""
    session.install(*group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    # Every public async function of the package is a checkpoint; a test or an example need not be one, nor a
    # handler, which the runtime alone calls.
    rules = "ASYNC102,ASYNC103,ASYNC104,ASYNC113,ASYNC120"
    for folder in CODE:
        files = [str(path) for path in sorted(Path(folder).rglob("*.py"))]
        if folder == PACKAGE:
            handlers = "--no-checkpoint-warning-decorators=handles"
            session.run("flake8-async", f"--enable={rules},ASYNC910", handlers, *files)
        else:
            session.run("flake8-async", f"--enable={rules}", *files)
    session.run("towncrier", "build", "--draft", "--version=next", silent=True)


@nox.session
def types(session: nox.Session) -> None:
    """Mypy --strict and pyright."""
    session.install("-e", ".[all]", *group("types"), *group("tests"), "nox")
    session.run("mypy", *CODE, "noxfile.py")
    session.run("pyright", env={"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"})


@nox.session
def imports(session: nox.Session) -> None:
    """The layers of the house: imports run downward only."""
    session.install("-e", ".", *group("imports"))
    session.run("lint-imports", "--no-cache")


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation, with warnings as errors."""
    session.install("-e", ".[all]", *group("docs"))
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-E", "-b", "html", "docs", "docs/_build/html")


@nox.session(python=PYTHONS[-1])
def examples(session: nox.Session) -> None:
    """Each example, with the package as a user gets it: not editable, no tools of development."""
    session.install(".[all]", *group("examples"))
    session.run("pytest", "-o", "pythonpath=", "tests/examples", *session.posargs)


@nox.session(python=PYTHONS[-1])
def peers(session: nox.Session) -> None:
    """Events and commands with auto-trainer-api as PyPI has it, each version in an environment of its own."""
    session.install("-e", ".[cli,testing,zmq]", "pytest-xdist")
    folder = Path(session.virtualenv.location, "auto-trainer-api")
    for version, left_out in (("0.9.7", ["typing_extensions"]), ("0.12.0", [])):
        python = folder / version / "bin" / "python"
        if not python.exists():
            session.run("python", "-m", "venv", str(folder / version))
        wanted = [f"auto-trainer-api=={version}", *left_out]
        session.run(str(python), "-m", "pip", "install", *wanted, external=True, silent=True)
    command = ["pytest", "-n", "3", "--dist", "loadfile", "tests/peers", *session.posargs]
    session.run(*command, env={"AUTO_TRAINER_PEERS": str(folder)})


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """All tests on the first interpreter present, and all that start no programs on the others.

    Programs run on the last one in the sessions ``examples`` and ``peers``.
    """
    session.install("-e", ".[all]", *group("tests"))
    chosen = list(session.posargs)
    if not chosen and session.python != PYTHONS[0]:
        chosen = [f"--ignore={folder}" for folder in PROGRAMS]
    # Three at a time keep two processors busy; a file's tests stay together, and share what it started.
    session.run("pytest", "-n", "3", "--dist", "loadfile", *chosen)


@nox.session
def bench(session: nox.Session) -> None:
    """Each figure beside its peer or limit: a table, and a JSON file."""
    session.install("-e", ".[all]", *group("bench"))
    # TriOTP asks for Trio 0.19, where today's runs it as well, and auto-trainer-api for an older pyzmq: both
    # sides are measured on one Trio and one ZeroMQ.
    session.install("--no-deps", "triotp", "auto-trainer-api==0.12.0", "pyhumps==3.8.0")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Tasks over a network that breaks, for 10 minutes: ``nox -s soak -- --minutes 1``, see ``-- --help``.

    ``nox -s soak -- demo [FIRST LAST]``: a hundred demos instead, each with a seed of its own.
    ``nox -s soak -- events``: a million events to ten subscribers, of which one is stopped for a while.
    ``nox -s soak -- kills``: commands of twenty clients to a service that is killed, and started again.
    """
    session.install("-e", ".[all]")
    match session.posargs:
        case ["demo", *seeds]:
            first, last = (int(seed) for seed in seeds or ("1", "100"))
            for seed in range(first, last + 1):
                session.run("aip-trio", "demo", "--root", PACKAGE, "--seed", str(seed), silent=True)
        case ["events" | "kills" as name, *options]:
            session.run("python", "-m", f"soak.{name}", *options)
        case options:
            session.run("python", "-m", "soak", *options)
