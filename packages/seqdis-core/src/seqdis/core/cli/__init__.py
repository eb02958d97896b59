"""The command ``seqdis``: one file a command, and more of them from other distributions.

Importing this package is cheap; torch is imported by the command that needs it.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line: what the console script ``seqdis`` calls."""
    from seqdis.core.cli.app import app

    app(prog_name="seqdis")
