"""What the pages say exists: linked files, imported names, commands and presets."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest
from typer.main import get_group

from seqdis.core.cli.app import app
from seqdis.core.registry import list_presets

ROOT = Path(__file__).parents[2]
HIDDEN = {"node_modules", "runs", "dist", "build"}
PAGES = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part in HIDDEN for part in path.relative_to(ROOT).parts)
)
NAMES = [path.relative_to(ROOT).as_posix() for path in PAGES]
PICTURES = {".png", ".gif"}


def blocks(page: Path, *languages: str) -> list[str]:
    """The fenced blocks of a page in some languages."""
    fenced = re.findall(
        r"^```(\w*)[^\n]*\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return [body for language, body in fenced if language in languages]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = [
        t for t in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in t and not t.startswith("mailto:")
    ]
    # Pictures come out of runs; the text must read well before there is one.
    missing = [t for t in targets if Path(t).suffix not in PICTURES and not (page.parent / t).exists()]
    assert missing == []


def modules_written_by(page: Path) -> set[str]:
    """Modules of ours that the page itself writes: tests/integration/test_guides.py writes and runs them."""
    paths = re.findall(
        r"^# file: packages/[^/]+/src/(\S+)\.py$", page.read_text(encoding="utf-8"), re.MULTILINE
    )
    return {path.removesuffix("/__init__").replace("/", ".") for path in paths}


def presets_written_by(page: Path) -> set[str]:
    """Presets that the page itself writes."""
    written = [block for block in blocks(page, "python") if block.startswith("# file: ")]
    return set(re.findall(r'^ +preset="(\S+)",$', "\n".join(written), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_python_blocks_parse_and_import_what_exists(page: Path) -> None:
    new = modules_written_by(page)
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("seqdis."):
                continue
            if node.module in new:
                continue
            module = importlib.import_module(node.module or "")
            assert [a.name for a in node.names if not hasattr(module, a.name)] == [], node.module


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_and_presets_exist(page: Path) -> None:
    commands, presets = (
        set(get_group(app).list_commands(None)),
        set(list_presets()) | presets_written_by(page),
    )
    for block in blocks(page, "", "bash", "sh", "console"):
        for line in block.splitlines():
            words = line.removeprefix("$ ").partition("#")[0].split()
            if words[:1] != ["seqdis"] or len(words) < 2 or words[1].startswith("-"):
                continue
            assert words[1] in commands, line
            if words[1] == "train" and words[2].islower():
                assert words[2] in presets, line
