from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, version
from types import ModuleType

import pytest
import typer
from typer.testing import Result

from seqdis.core.cli import app as app_module
from seqdis.core.errors import TrainingInterrupted, TrainingTerminated

Command = Callable[..., Result]


def test_every_command_of_core_is_there(seqdis: Command) -> None:
    result = seqdis("--help")
    assert result.exit_code == 0
    for name in ("list", "demo", "train", "encode", "reconstruct", "swap", "doctor"):
        assert f" {name} " in result.stdout


def test_version(seqdis: Command) -> None:
    assert seqdis("--version").stdout == f"seqdis {version('seqdis-core')}\n"


def test_help_does_not_import_torch() -> None:
    code = (
        "import sys; sys.argv = ['seqdis', '--help']\n"
        "from seqdis.core.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_a_usage_error_exits_with_2(seqdis: Command) -> None:
    assert seqdis("encode").exit_code == 2
    assert seqdis("no-such-command").exit_code == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["swap", "run", "--nosie"],
            "No such option: --nosie (Possible options: --noise",
        ),
        (["swap"], "Missing argument 'RUN'; see root swap --help"),
        (["swop"], "No such command 'swop'"),
        (["--nosie"], "No such option: --nosie"),
        (
            ["swap", "run", "--noise", "frsh"],
            "Invalid value for '--noise': 'frsh' is not one of 'dynamic', 'static'",
        ),
    ],
)
def test_a_usage_error_is_one_line_that_says_where_help_is(
    refused: Callable[..., str], words: list[str], message: str
) -> None:
    said = refused(*words)
    assert said.startswith(message)
    assert said.endswith("--help")


def test_an_input_error_in_a_real_process_is_one_line_without_a_traceback() -> None:
    words = [sys.executable, "-m", "seqdis.core.cli", "train", "tyo"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: unknown preset 'tyo' (did you mean 'toy'?); allowed: ")
    assert done.stderr.count("\n") == 1


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, object], None]:
    """``plugin(name, function)`` is what a distribution's entry point would declare."""
    points: list[EntryPoint] = []
    monkeypatch.setattr(app_module, "plugin_points", lambda group: {point.name: point for point in points})

    def add(name: str, thing: object) -> None:
        module = ModuleType(f"plugin_{name}")
        module.thing = thing  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        points.append(EntryPoint(name, f"{module.__name__}:thing", "seqdis.commands"))

    return add


def test_another_distribution_adds_a_command(seqdis: Command, plugin: Callable[[str, object], None]) -> None:
    def measure(times: int = 1) -> None:
        """Measure something."""
        typer.echo("measured " * times)

    plugin("measure", measure)
    assert "Measure something." in seqdis("--help").stdout
    assert seqdis("measure", "--times", 2).stdout.split() == ["measured", "measured"]


def test_another_distribution_adds_a_group(seqdis: Command, plugin: Callable[[str, object], None]) -> None:
    group = typer.Typer()
    group.command("one")(lambda: typer.echo("1"))
    group.command("two")(lambda: typer.echo("2"))
    plugin("numbers", group)
    assert seqdis("numbers", "two").stdout == "2\n"


def test_a_plugin_does_not_replace_a_command_of_core(
    seqdis: Command, plugin: Callable[[str, object], None]
) -> None:
    plugin("list", lambda: typer.echo("not this one"))
    assert "not this one" not in seqdis("list", "methods").stdout


def test_a_broken_plugin_leaves_the_others_alone(
    seqdis: Command, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("broken", "no_such_module_at_all:command", "seqdis.commands")
    monkeypatch.setattr(app_module, "plugin_points", lambda group: {"broken": point})
    shown = seqdis("--help")
    assert shown.exit_code == 0
    assert "cannot be loaded" in shown.stdout
    assert "no_such_module_at_all" in refused("broken")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (
            FileNotFoundError(2, "No such file or directory", "x.wav"),
            2,
            "error: x.wav: No such file or directory\n",
        ),
        (OSError("a\nb"), 2, "error: a b\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (TrainingInterrupted("stopped after step 3"), 130, "stopped after step 3\n"),
        (TrainingTerminated("stopped after step 3"), 143, "stopped after step 3\n"),
    ],
)
def test_how_errors_end(
    seqdis: Command, plugin: Callable[[str, object], None], error: BaseException, code: int, line: str
) -> None:
    def fail() -> None:
        raise error

    plugin("fail", fail)
    result = seqdis("fail")
    assert (result.exit_code, result.stderr) == (code, line)


def test_of_several_processes_one_says_that_they_were_interrupted(
    seqdis: Command, plugin: Callable[[str, object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise KeyboardInterrupt

    plugin("fail", fail)
    monkeypatch.setenv("RANK", "1")
    result = seqdis("fail")
    assert (result.exit_code, result.stderr) == (130, "")


def test_a_fault_of_the_program_is_not_hidden(seqdis: Command, plugin: Callable[[str, object], None]) -> None:
    def fail() -> None:
        raise RuntimeError("a bug")

    plugin("fail", fail)
    assert isinstance(seqdis("fail").exception, RuntimeError)
