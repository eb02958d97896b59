from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import Result

from seqdis.core.data.dynamics_source import DynamicsSource
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.registry import get_modality

Command = Callable[..., Result]
Refused = Callable[..., str]


def words(run: Path, recordings: Path) -> list[object]:
    a, b = recordings / "a.npy", recordings / "b.npy"
    return ["swap", run, "--static", a, "--dynamic", b, "--device", "cpu", "--out"]


def test_a_media_file_is_the_models_swap(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "s.npy"
    result = seqdis(*words(toy_run, recordings), out)
    assert result.exit_code == 0, result.output
    static, dynamic = (torch.from_numpy(np.load(recordings / name))[None, :6] for name in ("a.npy", "b.npy"))
    expected = Disentangler.from_pretrained(toy_run).swap(static, dynamic)[0]
    torch.testing.assert_close(torch.from_numpy(np.load(out)), expected, atol=1e-4, rtol=1e-4)


def test_a_picture_has_sources_reconstructions_and_both_swaps(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "s.png"
    assert seqdis(*words(toy_run, recordings), out).exit_code == 0
    assert out.read_bytes().endswith(b"[1, 1, 1, 1, 1, 1]")  # the toy's pictures hold the grid's row lengths


def test_a_folder_gets_swap_picture_and_record(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "s"
    said = json.loads(seqdis(*words(toy_run, recordings), out, "--json", "--seed", 3).stdout)
    assert sorted(p.name for p in out.iterdir()) == ["swap.json", "swap.npy", "swap.png"]
    assert json.loads((out / "swap.json").read_text()) == said
    assert said["static"] == str(recordings / "a.npy")
    assert said["seed"] == 3


def test_picture_comes_beside_the_media_file(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    seqdis(*words(toy_run, recordings), tmp_path / "s.npy", "--picture", tmp_path / "p.png")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p.png", "s.npy"]


def test_two_runs_leave_identical_files(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    for name in ("one.npy", "two.npy"):
        seqdis(*words(toy_run, recordings), tmp_path / name)
    assert (tmp_path / "one.npy").read_bytes() == (tmp_path / "two.npy").read_bytes()


def test_bad_input_is_refused_with_one_line(
    refused: Refused, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "s.mp4"
    assert refused(*words(toy_run, recordings), out) == (
        f"{out}: toy cannot write '.mp4'; allowed: .npy for the swap, .png for a picture of all"
    )
    assert refused(*words(toy_run, recordings), tmp_path / "s.npy", "--picture", tmp_path / "p.bmp") == (
        f"{tmp_path / 'p.bmp'}: toy cannot draw '.bmp'; allowed: .png"
    )
    several = [
        "swap",
        toy_run,
        "--static",
        recordings,
        "--dynamic",
        recordings / "a.npy",
        "--out",
        tmp_path / "s.npy",
    ]
    assert refused(*several) == f"--static {recordings}: holds 3 inputs; exactly one is needed"
    for option in (["--count", 3], ["--independent"]):
        said = refused(*words(toy_run, recordings), tmp_path / "s.npy", *option)
        assert said == f"{option[0]}: for one file, whose other factor is drawn; got --static and --dynamic"
    assert not [*tmp_path.iterdir()]


def test_a_suffix_that_is_both_is_media_unless_it_is_the_first_kind_of_picture(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = type(get_modality("toy"))
    monkeypatch.setattr(toy, "writes", (".npy", ".png", ".gif"))
    monkeypatch.setattr(toy, "pictures", (".png", ".gif"))
    written = []
    monkeypatch.setattr(
        toy, "write", lambda self, path, *rest, source: written.append(f"media {path.suffix}")
    )
    monkeypatch.setattr(toy, "draw", lambda self, path, *rest: written.append(f"picture {path.suffix}"))
    for suffix in (".png", ".gif"):
        assert seqdis(*words(toy_run, recordings), tmp_path / f"s{suffix}").exit_code == 0
    assert written == ["picture .png", "media .gif"]


def test_what_a_modality_refuses_to_write_names_the_users_path_and_leaves_nothing(
    refused: Refused, toy_run: Path, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(self: object, path: Path, *rest: object, source: object) -> None:
        path.write_bytes(b"half")
        raise InputError(f"{path}: too small for this kind of file")

    monkeypatch.setattr(type(get_modality("toy")), "write", write)
    out = tmp_path / "s.npy"
    assert refused(*words(toy_run, recordings), out) == f"{out}: too small for this kind of file"
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(("option", "kept"), [("--static", "static"), ("--dynamic", "dynamic")])
def test_with_one_file_the_other_factor_is_drawn(
    seqdis: Command, prior_run: Path, recordings: Path, tmp_path: Path, option: str, kept: str
) -> None:
    out = tmp_path / "s"
    result = seqdis("swap", prior_run, option, recordings / "a.npy", "-n", 3, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert kept in said
    assert len({"static", "dynamic"} & set(said)) == 1
    assert sorted(p.name for p in out.iterdir()) == [
        *(f"swap-{i}.npy" for i in range(3)),
        "swap.json",
        "swap.png",
    ]
    assert (out / "swap.png").read_bytes().endswith(b"[1, 1, 1, 1, 1]")
    first, second = (np.load(out / f"swap-{i}.npy") for i in range(2))
    assert np.abs(first - second).max() > 1e-3
    assert (
        seqdis("swap", prior_run, option, recordings / "a.npy", "--out", tmp_path / "one.npy").exit_code == 0
    )
    np.testing.assert_allclose(np.load(tmp_path / "one.npy"), first, atol=1e-3)  # the same seed


def test_a_drawn_swap_refuses_what_it_cannot_do(
    refused: Refused, prior_run: Path, recordings: Path, tmp_path: Path
) -> None:
    assert refused("swap", prior_run) == "swap needs --static FILE, --dynamic FILE, or both"
    out = tmp_path / "x.npy"
    assert refused("swap", prior_run, "--static", recordings / "a.npy", "-n", 2, "--out", out) == (
        f"--out {out}: one file for 2 swaps; give a folder"
    )
    assert not [*tmp_path.iterdir()]


def test_without_out_the_swap_goes_below_the_run(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(toy_run, tmp_path / "run"))
    assert (
        seqdis("swap", run, "--static", recordings / "a.npy", "--dynamic", recordings / "b.npy").exit_code
        == 0
    )
    assert (run / "swap" / "swap.npy").is_file()


def test_an_extra_is_one_of_the_methods_own(
    seqdis: Command, refused: Refused, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    said = refused(*words(toy_run, recordings), tmp_path / "s.npy", "--extra", "action")
    assert said == "'action': DiffSDA has no further factor that can be swapped alone"
    one = [
        "swap",
        toy_run,
        "--static",
        recordings / "a.npy",
        "--extra",
        "action",
        "--out",
        tmp_path / "s.npy",
    ]
    assert refused(*one) == "--extra action: needs both --static FILE and --dynamic FILE"


def test_the_noise_of_the_result_is_chosen_and_recorded(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    frames = {}
    for noise in ("dynamic", "static", "fresh"):
        said = json.loads(
            seqdis(*words(toy_run, recordings), tmp_path / noise, "--noise", noise, "--json").stdout
        )
        assert said["noise"] == noise
        frames[noise] = np.load(tmp_path / noise / "swap.npy")
    assert seqdis(*words(toy_run, recordings), tmp_path / "default").exit_code == 0
    np.testing.assert_array_equal(np.load(tmp_path / "default" / "swap.npy"), frames["dynamic"])
    told = " ".join(seqdis(*words(toy_run, recordings), tmp_path / "told", "--noise", "fresh").stdout.split())
    assert "from fresh noise" in told
    told = " ".join(seqdis(*words(toy_run, recordings), tmp_path / "told").stdout.split())
    assert "b.npy inverts to" in told.replace("\n", "")
    for one, other in (("dynamic", "static"), ("dynamic", "fresh"), ("static", "fresh")):
        assert np.abs(frames[one] - frames[other]).max() > 1e-3


def test_the_noise_is_a_choice_for_two_files_only(
    seqdis: Command, refused: Refused, prior_run: Path, recordings: Path, tmp_path: Path
) -> None:
    one = ["swap", prior_run, "--static", recordings / "a.npy", "--out", tmp_path / "s"]
    assert refused(*one, "--noise", "fresh") == "--noise fresh: needs both --static FILE and --dynamic FILE"
    assert not [*tmp_path.iterdir()]
    # With a drawn factor it is not chosen, and told all the same.
    assert json.loads(seqdis(*one, "--json").stdout)["noise"] == "fresh"


def test_a_swap_that_lies_among_the_inputs_does_not_become_one(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    clips = tmp_path / "clips"
    shutil.copytree(recordings, clips)
    before = json.loads(seqdis("data", "check", clips, "--preset", "toy-folder", "--json").stdout)
    words = ("--static", clips / "a.npy", "--dynamic", clips / "b.npy", "--out", clips / "made" / "swap.npy")
    assert seqdis("swap", toy_run, *words).exit_code == 0
    after = json.loads(seqdis("data", "check", clips, "--preset", "toy-folder", "--json").stdout)
    assert (after["files"], after["left_out"][0]["reason"]) == (before["files"], "made")


def test_the_modality_is_told_which_file_lends_the_dynamics(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy, told = type(get_modality("toy")), list[DynamicsSource | None]()
    monkeypatch.setattr(toy, "write", lambda self, path, *rest, source: told.append(source))
    assert seqdis(*words(toy_run, recordings), tmp_path / "s.npy", "--start", 2).exit_code == 0
    again = ["reconstruct", toy_run, recordings / "a.npy", "--device", "cpu", "--out", tmp_path / "r.npy"]
    assert seqdis(*again, "--start", 1).exit_code == 0
    assert told == [DynamicsSource(recordings / "b.npy", 2), DynamicsSource(recordings / "a.npy", 1)]
