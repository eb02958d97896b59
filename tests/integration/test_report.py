"""``seqdis eval report`` on each modality with its demo's model before any training, as a file and in a browser."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

from seqdis.core.cli.app import app
from seqdis.core.metric import Estimate, Metrics
from seqdis.core.pretrained import build_model, read_run_config
from seqdis.core.registry import build_dataset, get_modality, get_preset
from seqdis.core.results import ResultRecord

QUICK = (
    "--steps",
    "2",
    "--clips",
    "2",
    "--reconstructions",
    "1",
    "--samples",
    "1",
    "--probed",
    "64",
    "--device",
    "cpu",
)
MEDIA = {"video": "image/gif", "audio": "audio/flac", "timeseries": "image/png"}


def seqdis(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def make_run(folder: Path, modality: str) -> Path:
    torch.manual_seed(0)
    config = get_preset(get_modality(modality).demo() or "")
    build_model(config).save_pretrained(folder)
    logged = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}, {"step": 2, "val_loss": 1.5}]
    (folder / "log.jsonl").write_text("\n".join(map(json.dumps, logged)))
    ResultRecord(
        name="demo", method=config.method, dataset=config.data.dataset, modality=modality, command="c",
        seed=0, device="cpu", wall_seconds=1.0, versions={},
        metrics=Metrics.of({"swap_joint_accuracy": Estimate(value=0.5, unit="share", chance=0.1, n=4)}, role="swap"),
    ).save(folder / "metrics.json")  # fmt: skip
    return folder


def write_clip(run: Path) -> Path:
    """A test clip of the run's data as a file in its folder."""
    config = read_run_config(run / "config.json")
    modality = get_modality(config.modality)
    path = run / f"clip{modality.writes[0]}"
    modality.write(
        path, build_dataset(modality.name, config.data, "test", seed=0).fetch([0]).x[0], config.data
    )
    return path


@pytest.fixture(scope="module", params=sorted(MEDIA))
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    run = make_run(tmp_path_factory.mktemp("report") / request.param, request.param)
    fit = ("hidden=8", "layers=2", "epochs=1", "steps=2", "resamples=1", "--device", "cpu")
    assert seqdis("prior", "fit", run, *fit).exit_code == 0
    source = write_clip(run)
    for factor in ("static", "dynamic"):
        moved = seqdis("traverse", run, source, "--factor", factor, "--points", "3", "--steps", "2")
        assert moved.exit_code == 0, moved.output
    measured = seqdis("eval", "reconstruction", run, "--clips", "2", "--steps", "2", "--device", "cpu")
    assert measured.exit_code == 0, measured.output
    result = seqdis("eval", "report", run, *QUICK, "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["sections"] == [
        "Overview", "Swaps", "Metrics", "Reconstructions", "Probes", "Samples", "Traversals", "Training"
    ]  # fmt: skip
    assert said["bytes"] == Path(said["out"]).stat().st_size
    return request.param, Path(said["out"])


def test_the_page_holds_all_it_shows(page: tuple[str, Path]) -> None:
    modality, path = page
    text = path.read_text(encoding="utf-8")
    addresses = re.findall(r'(?:src|href|srcset|poster)="([^"]*)"', text)
    assert {address[:5] for address in addresses if not address.startswith("#")} == {"data:"}
    assert "<script" not in text
    assert f"data:{MEDIA[modality]};base64," in text
    for words in ("swap joint accuracy", "chance 10%, n = 4", "validation", "--probed 64"):
        assert words in text


def test_the_same_command_gives_the_same_page(page: tuple[str, Path], tmp_path: Path) -> None:
    modality, path = page
    if modality != "timeseries":  # one of them suffices; each takes seconds
        return
    out = tmp_path / "again.html"
    assert seqdis("eval", "report", path.parent, *QUICK, "--out", out).exit_code == 0
    assert out.read_text().replace(str(out), str(path)) == path.read_text()


def test_runs_are_compared_side_by_side(page: tuple[str, Path], tmp_path: Path) -> None:
    modality, path = page
    if modality != "timeseries":
        return
    other = Path(shutil.copytree(path.parent, tmp_path / "other <run>"))
    out = tmp_path / "both.html"
    words = ("eval", "report", path.parent, other, *QUICK, "--samples", "0", "--probed", "0")
    result = seqdis(*words, "--results", other / "metrics.json", "--out", out)
    assert result.exit_code == 0, result.output
    text = out.read_text()
    assert "2 runs compared" in text
    assert "Swaps: other &lt;run&gt;" in text
    assert re.findall(r'<th scope="col">(.*?)</th>', text)[:2] == ["timeseries", "other &lt;run&gt;"]
    assert "<run>" not in text
    refused = seqdis(*words)
    assert (refused.exit_code, refused.stderr) == (
        2,
        "error: a report of several runs needs --out FILE.html\n",
    )
    twice = seqdis("eval", "report", other, other, "--out", out)
    assert (twice.exit_code, twice.stderr.count("\n")) == (2, 1)
    assert "a run was given twice" in twice.stderr
    kind = seqdis("eval", "report", other, "--out", tmp_path / "x.pdf")
    assert kind.stderr == f"error: --out {tmp_path / 'x.pdf'}: a report is one .html file\n"


@pytest.fixture(scope="module")
def browser() -> Any:
    api = pytest.importorskip("playwright.sync_api", reason="pages are opened where playwright is installed")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("pages are opened where a chromium is installed")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.full
@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["laptop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_it_without_a_network(
    page: tuple[str, Path], browser: Any, size: tuple[int, int], scheme: str
) -> None:
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    for path in (page[1], page[1].parent / "eval" / "reconstruction" / "report.html"):
        tab, said, asked = context.new_page(), list[str](), list[str]()
        tab.on("console", lambda message, said=said: said.append(message.text))
        tab.on("pageerror", lambda error, said=said: said.append(str(error)))
        tab.on("request", lambda request, asked=asked: asked.append(request.url))
        tab.goto(path.as_uri())
        tab.wait_for_function(
            "[...document.images].every(i => i.complete)"
            " && [...document.querySelectorAll('audio, video')].every(m => m.readyState > 0)"
        )
        assert tab.evaluate("[...document.images].filter(i => !i.naturalWidth).length") == 0
        assert tab.evaluate("document.images.length") > (3 if path == page[1] else 0)
        assert tab.evaluate("[...document.querySelectorAll('audio, video')].every(m => m.duration > 0)")
        assert said == []
        assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
        # Tables scroll inside themselves: the page as a whole never moves sideways.
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        channels = tab.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
        assert (sum(channels) / 3 < 60) == (scheme == "dark")
    context.close()
