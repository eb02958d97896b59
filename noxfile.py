"""The only task runner: ``nox -l`` lists the sessions, ``nox -s NAME -- ARGUMENTS`` runs one.

Every session makes its own environment from ``constraints.txt`` and ``overrides.txt``; with uv that takes seconds.
"""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
import time
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv"
nox.options.sessions = ["tests", "lint", "typecheck"]

# Where it is set, every process that a test starts would compile torch's sources anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

ROOT = Path(__file__).parent
VERSION = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
DIST = ROOT / "dist"
# Core first: the others pin it, so it has to be on the index before them.
PACKAGES = ("core", "video", "audio", "timeseries", "eval")
# Each part of the tests, and all that its environment holds besides pytest.
TEST_PARTS = {
    "core": ("core",),
    "video": ("core", "video"),
    "audio": ("core", "audio"),
    "timeseries": ("core", "timeseries"),
    "eval": ("core", "eval"),
    "integration": PACKAGES,
}
# Each example: its folder below SEQDIS_DATA, and what makes its training and its evaluation runs of about a
# minute on two cores.
EXAMPLES = {
    "sprites": (
        "sprites",
        ("--preset", "diffsda-sprites32", "train.steps=30", "sampler.steps=4"),
        ("--pairs", "0"),  # a judge takes minutes; the demo trains one
    ),
    "arabic_speech": (
        "arabic_speech_commands",
        ("train.steps=60", "frames_per_clip=8", "sampler.steps=4"),
        (),
    ),
    "ett": (
        "ett",
        (
            *("train.steps=10", "noise_repeats=1", "frames_per_clip=32", "sampler.steps=4"),
            *("hidden_dim=64", "encoder.channels=32", "denoiser.channels=32"),
        ),
        (),
    ),
    "custom_modality": ("cmu_mocap", ("train.steps=60",), ()),
}
# What is installed for a package's own tests only, so that none of them is skipped for want of it.
EXTRAS = {
    "core": "[ray,shards,slurm]",
    "video": "[flow,latent]",
    "audio": "[av]",
    "eval": "[fid,speech]",
}
# What a part's tests compare with or look with, and what an extra of seqdis-eval would bring.
PEERS = {
    "core": ("diffusers", "pandas", "polars", "pyarrow"),
    "integration": ("playwright", "pytorch-fid", "webdataset"),
}
# Places that share six or more lines: a preset's training by keywords, which two methods spell alike.
MOST_DUPLICATES = 1
PINNED = ("-c", "constraints.txt", "--override", "overrides.txt")
# Every module: seqdis.core itself imports little before a name is asked for.
IMPORT_ALL = (
    "import importlib, pkgutil, sys; package = importlib.import_module(sys.argv[1]); "
    "[importlib.import_module(m.name) for m in pkgutil.walk_packages(package.__path__, sys.argv[1] + '.')]"
)


def install(session: nox.Session, *packages: str, tools: tuple[str, ...] = (), extra: str = "") -> None:
    """Install some of the five packages from the tree, with what they declare, and tools.

    ``extra`` is the package whose optional dependencies are installed as well.
    """
    arguments: list[str] = []
    for name in packages:
        suffix = EXTRAS.get(name, "") if name == extra else ""
        # uv would reuse metadata of an earlier build although VERSION or the hook has changed.
        arguments += ["-e", f"packages/seqdis-{name}{suffix}", "--reinstall-package", f"seqdis-{name}"]
    session.install(*PINNED, *arguments, *tools, env={"UV_BUILD_CONSTRAINT": str(ROOT / "constraints.txt")})


def sources(pattern: str) -> list[str]:
    """Paths below the root that match, sorted."""
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(pattern))


@nox.session
def demo(session: nox.Session) -> None:
    """Train a small DiffSDA on generated clips, swap and score: runs/demo."""
    install(session, *PACKAGES)
    session.run("seqdis", "demo", "--out", "runs/demo", *session.posargs)


@nox.session
@nox.parametrize("part", [nox.param(part, id=part) for part in TEST_PARTS])
def tests(session: nox.Session, part: str) -> None:
    """All tests, a package at a time, where only what the package declares is installed."""
    install(session, *TEST_PARTS[part], tools=("pytest", "pytest-xdist", *PEERS.get(part, ())), extra=part)
    folders = (
        ["tests/integration", "tests/golden", "tests/repo"] if part == "integration" else [f"tests/{part}"]
    )
    # Workers share the cores; a file stays on one worker, so that its fixtures are made once.
    workers = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile")
    session.run("pytest", *workers, *folders, *session.posargs, env={"OMP_NUM_THREADS": "1"})


@nox.session
def lint(session: nox.Session) -> None:
    """Style and format."""
    session.install(*PINNED, "ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def typecheck(session: nox.Session) -> None:
    """Types of all five packages."""
    install(session, *PACKAGES, tools=("mypy",))
    session.run("mypy", *sources("packages/*/src"), *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Links and imports of every page of the documentation."""
    install(session, *PACKAGES, tools=("pytest",))
    session.run("pytest", "tests/repo/test_docs.py", *session.posargs)


@nox.session
def examples(session: nox.Session) -> None:
    """Each example on its real data for about a minute: train, then evaluate."""
    data = Path(os.environ.get("SEQDIS_DATA", ""))
    install(session, *PACKAGES)
    session.install(*PINNED, "--no-deps", "-e", "examples/custom_modality")
    runs = Path(session.create_tmp()).resolve() / "runs"
    shutil.rmtree(runs, ignore_errors=True)
    for name, (folder, training, measuring) in EXAMPLES.items():
        if not os.environ.get("SEQDIS_DATA") or not (data / folder).is_dir():
            session.warn(f"{name}: skipped, for SEQDIS_DATA must name a folder that holds {folder!r}")
            continue
        out = str(runs / name)
        session.run("python", f"examples/{name}/train.py", "--out", out, *training)
        session.run("python", f"examples/{name}/evaluate.py", out, "--out", f"{out}/result.json", *measuring)


@nox.session
def full(session: nox.Session) -> None:
    """What takes longer than the everyday tests, with the time of each part: ``-- guides`` runs one part alone."""
    parts = {
        "guides": guides,
        "examples": examples,
        "browser": browser,
        "tables": tables,
        "soak": brief_soak,
        "pipelines": pipelines,
        "processes": processes,
        "learning": learning,
        "protocols": protocols,
        "duplicates": duplicates,
    }
    unknown = sorted(set(session.posargs) - parts.keys())
    if unknown:
        session.error(f"unknown part {unknown[0]!r}; allowed: {', '.join(parts)}")
    taken = {}
    for name in session.posargs or parts:
        started = time.perf_counter()
        parts[name](session)
        taken[name] = time.perf_counter() - started
    for name, seconds in taken.items():
        session.log(f"{name}: {seconds:.0f} s")


def guides(session: nox.Session) -> None:
    """Every page of how to add something, written into a copy of the repository and run there."""
    install(session, *PACKAGES, tools=("pytest", "pytest-xdist", "ruff", *PEERS["integration"]))
    session.run("pytest", "-m", "full", "tests/integration/test_guides.py")


def browser(session: nox.Session) -> None:
    """The pages of ``seqdis eval report`` in a chromium, where one is installed."""
    install(session, *PACKAGES, tools=("pytest", *PEERS["integration"]))
    session.run("pytest", "-m", "full", "tests/integration/test_report.py")


def tables(session: nox.Session) -> None:
    """The ``seqdis`` commands behind all results: their options are still accepted, their presets still build."""
    install(session, *PACKAGES, tools=("pytest",))
    session.run("pytest", "-m", "full", "tests/integration/test_recorded_commands.py")


def pipelines(session: nox.Session) -> None:
    """The estimator in scikit-learn's pipelines: accuracies after some hundred steps, several processes."""
    install(session, "core", "timeseries", tools=("pytest",))
    session.run("pytest", "-m", "full", "tests/timeseries/test_disentangling_transformer.py")


def processes(session: nox.Session) -> None:
    """Nodes of Ray and jobs of Slurm that are lost, and trainings that are told to stop."""
    install(session, "core", tools=("pytest", *PEERS["core"]), extra="core")
    session.run(
        "pytest",
        "-m",
        "full",
        "tests/core/executors",
        "tests/core/cli",
        "tests/core/quantize",
        "tests/core/test_leftovers.py",
    )


def learning(session: nox.Session) -> None:
    """Models that have to learn something, for some minutes."""
    install(session, *PACKAGES, tools=("pytest",), extra="eval")
    session.run("pytest", "-m", "full", "tests/video", "tests/eval")


def protocols(session: nox.Session) -> None:
    """Protocols that take a minute even of untrained models."""
    install(session, *PACKAGES, tools=("pytest", *PEERS["integration"]))
    session.run(
        "pytest",
        "-m",
        "full",
        "tests/integration/test_protocols.py",
        "tests/integration/test_cli_modalities.py",
    )


@nox.session
def soak(session: nox.Session) -> None:
    """Kills, full disks, second writers, damaged files, hostile models: ``-- --minutes 30``; adds to results/soak.json.

    A failure is run again by ``-- --again NAME``, which the JSON file and the output name.
    """
    run_soak(session, *session.posargs)


def brief_soak(session: nox.Session) -> None:
    """The same for two minutes, the same draws each time, counted by themselves: runs/soak/brief.json."""
    run_soak(session, "--minutes", "2", "--seed", "0", "--fresh", "--out", "runs/soak/brief.json")


def run_soak(session: nox.Session, *arguments: str) -> None:
    """Run the soak with all that reads and writes installed."""
    install(session, *PACKAGES, tools=("webdataset",), extra="audio")
    session.run("python", "-m", "soak", *arguments)


@nox.session
def duplicates(session: nox.Session) -> None:
    """Places that share six or more lines, by pylint; more of them than allowed is an error."""
    session.install(*PINNED, "pylint")
    report = session.run(
        *("pylint", "--disable=all", "--enable=duplicate-code", "--min-similarity-lines=6", "--recursive=y"),
        *("packages", "tests", "examples"),
        silent=True,
        success_codes=[0, 8],
    )
    count = str(report).count("R0801")
    session.log(f"{report}\n{count} duplicates; allowed: {MOST_DUPLICATES}")
    if count > MOST_DUPLICATES:
        session.error(f"{count} places share six or more lines; allowed: {MOST_DUPLICATES}")


@nox.session
def bench(session: nox.Session) -> None:
    """Every benchmark, briefly: runs/bench; arguments are passed on to each."""
    # Peers: of the samplers, and of group VQ.
    install(session, *PACKAGES, tools=("diffusers", "vector-quantize-pytorch"))
    for path in sources("benchmarks/*.py"):
        target = ROOT / "runs" / "bench" / f"{Path(path).stem}.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        session.run("python", path, "--json", str(target), *session.posargs)


@nox.session
def kernels(session: nox.Session) -> None:
    """Compile the CUDA kernels where nvcc is found (no GPU is needed): runs/kernels; for sm_80 and sm_90."""
    if not (os.environ.get("CUDA_HOME") or shutil.which("nvcc")):
        session.skip("nvcc was not found: set CUDA_HOME, or put nvcc on the path")
    install(session, "core")
    place = {"SEQDIS_KERNELS": str(ROOT / "runs" / "kernels")}
    session.run("seqdis", "kernels", "build", "--cuda", "--arch", "8.0+9.0", *session.posargs, env=place)


@nox.session
def build(session: nox.Session) -> None:
    """Sdist, wheel from the sdist, clean installs from the wheels: dist/."""
    session.install(*PINNED, "hatch", "pytest", "packaging")
    shutil.rmtree(DIST, ignore_errors=True)
    for name in PACKAGES:
        build_distribution(session, name)
    session.run("pytest", "--noconftest", "tests/wheels", env={"SEQDIS_DIST": str(DIST)})
    try_wheels(session, PACKAGES, absent=())
    try_wheels(session, ("core", "video"), absent=("audio", "timeseries", "eval"))


def build_distribution(session: nox.Session, name: str) -> None:
    """Build a package's sdist from the tree, and its wheel from what the sdist holds."""
    scratch = Path(session.create_tmp()).resolve() / "sdist"
    shutil.rmtree(scratch, ignore_errors=True)
    # hatch keeps its build environment here and not in the user's home, and fills it by a uv that
    # nox would otherwise point at the session's own environment.
    home = str(scratch.parent / "hatch")
    own = {"HATCH_DATA_DIR": home, "HATCH_CACHE_DIR": home, "UV_PYTHON": None}
    with session.chdir(ROOT / "packages" / f"seqdis-{name}"):
        session.run("hatch", "build", "-t", "sdist", str(DIST), env=own)
    archive = DIST / f"seqdis_{name}-{VERSION}.tar.gz"
    with tarfile.open(archive) as file:
        file.extractall(scratch, filter="data")
    with session.chdir(scratch / archive.name.removesuffix(".tar.gz")):
        session.run("hatch", "build", "-t", "wheel", str(DIST), env=own)


def try_wheels(session: nox.Session, names: tuple[str, ...], *, absent: tuple[str, ...]) -> None:
    """Install wheels alone into a clean environment, import them, and list what is there."""
    place = Path(session.create_tmp()).resolve() / "-".join(names)
    python = str(place / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    session.run("uv", "venv", "--clear", "--python", sys.executable, str(place), external=True)
    wheels = [str(DIST / f"seqdis_{name}-{VERSION}-py3-none-any.whl") for name in names]
    session.run("uv", "pip", "install", "-q", "--python", python, *PINNED, *wheels, external=True)
    session.run("uv", "pip", "check", "--python", python, external=True)
    # Away from the tree: the working folder must not lend its sources.
    with session.chdir(place):
        for name in names:
            session.run(python, "-c", IMPORT_ALL, f"seqdis.{name}", external=True)
        for name in absent:
            session.run(python, "-c", f"import seqdis.{name}", external=True, success_codes=[1], silent=True)
        session.run(str(Path(python).with_name("seqdis")), "list", external=True)


@nox.session
def release(session: nox.Session) -> None:
    """Build, and say what would be uploaded; ``-- --publish [hatch publish options]`` uploads it.

    ``-- --check`` refuses what ``--publish`` refuses, and uploads nothing.
    """
    options = [argument for argument in session.posargs if argument not in ("--publish", "--check")]
    if "--publish" in session.posargs or "--check" in session.posargs:
        check_release(session)
    build(session)
    for name in PACKAGES:
        files = [str(ROOT / file) for file in sources(f"dist/seqdis_{name}-{VERSION}*")]
        command = ["hatch", "publish", *options, *files]
        if "--publish" in session.posargs:
            with session.chdir(ROOT / "packages" / f"seqdis-{name}"):
                session.run(*command)
        else:
            session.log(f"dry run: {' '.join(command)}")


def check_release(session: nox.Session) -> None:
    """Refuse to publish anything but a clean tree that carries its version's tag and notes."""
    state = session.run("git", "status", "--porcelain", external=True, silent=True)
    tags = session.run("git", "tag", "--points-at", "HEAD", external=True, silent=True)
    if state:
        session.error(f"the working tree has changes that are not committed:\n{state}")
    if f"v{VERSION}" not in str(tags).split():
        session.error(f"the commit does not carry the tag v{VERSION}")
    if f"## [{VERSION}]" not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        session.error(f"CHANGELOG.md has no section [{VERSION}]")
