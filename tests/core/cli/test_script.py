"""A script of one's own: its options from a signature, one line and exit code 2 for bad input."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = '''"""Adds up.

python add.py 1 2
"""

from seqdis.core.cli.script import run_script, script_command
from seqdis.core.errors import InputError


def main(numbers: list[int], limit: int = 9) -> None:
    if sum(numbers) > limit:
        raise InputError(f"sum: {sum(numbers)}\\nallowed: at most {limit}")
    print(script_command(), "=", sum(numbers))


if __name__ == "__main__":
    run_script(main)
'''


@pytest.mark.parametrize(
    ("words", "code", "out", "err"),
    [
        (("1", "2"), 0, "python add.py 1 2 = 3\n", ""),
        (("4", "4", "--limit", "7"), 2, "", "error: sum: 8 allowed: at most 7\n"),
    ],
)
def test_it_runs_as_the_command_that_its_file_is(
    tmp_path: Path, words: tuple[str, ...], code: int, out: str, err: str
) -> None:
    script = tmp_path / "add.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, script, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, out, err)


def test_its_help_is_the_docstring_of_the_file_line_by_line(tmp_path: Path) -> None:
    script = tmp_path / "add.py"
    script.write_text(SCRIPT)
    shown = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, check=True)
    assert "  Adds up.\n\n  python add.py 1 2\n" in shown.stdout
    assert "--limit" in shown.stdout
