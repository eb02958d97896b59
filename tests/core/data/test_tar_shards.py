from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from seqdis.core.config import DataConfig
from seqdis.core.data.discovery import describe_left_out, find_inputs
from seqdis.core.data.folder import folder_sequences
from seqdis.core.data.folder_content import folder_content
from seqdis.core.data.inputs import open_one
from seqdis.core.data.tar_shards import expand_shards, packed_files
from seqdis.core.errors import InputError
from seqdis.core.modality import Modality
from seqdis.core.registry import get_modality

webdataset = pytest.importorskip("webdataset", reason="needs seqdis-core[shards]")

DATA = DataConfig(dataset="folder", length=4, frame_shape=(8,))


@pytest.fixture
def toy() -> Modality:
    return get_modality("toy")


def recording(number: int) -> np.ndarray:
    return np.random.default_rng(number).normal(size=(4 + number % 5, 8)).astype(np.float32)


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Twelve samples in three shards, written by the library itself."""
    for shard in range(3):
        with webdataset.TarWriter(str(tmp_path / f"set-{shard:03d}.tar")) as out:
            for number in range(4 * shard, 4 * shard + 4):
                about = {"speaker": f"s{number % 3}", "age": 20 + number, "tags": ["a"]}
                out.write(
                    {
                        "__key__": f"part/{number:02d}",
                        "npy": recording(number),
                        "json": about,
                        "cls": number % 2,
                    }
                )
    return tmp_path / "set-{000..002}.tar"


def test_files_are_those_that_the_library_itself_reads(shards: Path) -> None:
    known = {}
    for sample in webdataset.WebDataset([str(p) for p in expand_shards(shards)], shardshuffle=False):
        known |= {f"{sample['__key__']}.{kind}": sample[kind] for kind in ("npy", "json", "cls")}
    ours = {}
    for shard in expand_shards(shards):
        content = shard.read_bytes()
        ours |= {
            name: content[one.offset : one.offset + one.size] for name, one in packed_files(shard).items()
        }
    assert ours == known
    assert len(ours) == 36


def test_windows_are_those_of_the_same_files_in_a_folder(shards: Path, tmp_path: Path, toy: Modality) -> None:
    plain = tmp_path / "plain"
    for number in range(12):
        file = plain / f"set-{number // 4:03d}.tar#part" / f"{number:02d}.npy"
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, recording(number))
    for split in ("train", "val", "test"):
        packed, files = (folder_sequences(toy, DATA, split, root) for root in (shards, plain))
        assert len(packed) == len(files)
        for epoch in (0, 1):
            indices = range(len(files))
            assert torch.equal(packed.fetch(indices, epoch=epoch).x, files.fetch(indices, epoch=epoch).x)
            assert packed.fetch(indices, epoch=epoch).keys == files.fetch(indices, epoch=epoch).keys


def test_the_class_and_named_fields_are_labels(shards: Path, toy: Modality) -> None:
    content = folder_content(toy, DATA, shards)
    assert set(content.labels) == {"cls"}
    named = folder_content(toy, DATA.model_copy(update={"label_fields": ("speaker", "age")}), shards)
    assert named.labels["speaker"].classes == ("s0", "s1", "s2")
    assert [one.labels for one in named.recordings[:2]] == [
        {"cls": "0", "speaker": "s0", "age": "20"},
        {"cls": "1", "speaker": "s1", "age": "21"},
    ]
    for field, words in {"tags": "no text or number 'tags'", "name": "holds: age, speaker, tags"}.items():
        with pytest.raises(InputError, match=words):
            folder_content(toy, DATA.model_copy(update={"label_fields": (field,)}), shards)


def test_a_folder_of_shards_is_read_as_well(shards: Path, toy: Modality) -> None:
    by_pattern, by_folder = (find_inputs(toy, [path]).paths for path in (shards, shards.parent))
    assert by_pattern == by_folder
    assert by_pattern[0].name == "00.npy"
    assert len(by_pattern) == 12


def test_other_files_in_a_shard_are_counted(tmp_path: Path, toy: Modality) -> None:
    with webdataset.TarWriter(str(tmp_path / "a.tar")) as out:
        out.write({"__key__": "one", "npy": recording(0), "doc": b"x", "txt": "said"})
    found = find_inputs(toy, [tmp_path])
    assert [str(path) for path in found.paths] == [f"{tmp_path}/a.tar#one.npy"]
    assert describe_left_out(found.left_out) == ["1 files of other kinds: 1 .doc"]


def test_one_sample_is_named_like_a_file(shards: Path, toy: Modality) -> None:
    one = open_one(toy, Path(f"{shards.parent}/set-001.tar#part/05.npy"), DATA)
    assert torch.equal(one.whole().frames, torch.from_numpy(recording(5)))
    with pytest.raises(InputError, match=r"set-001.tar#part/50.npy: no such file"):
        find_inputs(toy, [Path(f"{shards.parent}/set-001.tar#part/50.npy")])


def test_what_cannot_be_read_is_named(shards: Path, tmp_path: Path, toy: Modality) -> None:
    with pytest.raises(InputError, match=r"set-003.tar: no such file or folder"):
        find_inputs(toy, [tmp_path / "set-{002..003}.tar"])
    whole = (tmp_path / "set-000.tar").read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[: len(whole) // 2 + 100])
    (tmp_path / "noise.tar").write_bytes(b"x" * 3000)
    with tarfile.open(tmp_path / "zipped.tar", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("a.npy"), io.BytesIO())
    with tarfile.open(tmp_path / "outside.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("../a.npy"), io.BytesIO())
    for name in ("cut", "noise", "zipped", "outside"):
        with pytest.raises(InputError, match=rf"{name}.tar: is no whole, uncompressed tar file"):
            find_inputs(toy, [tmp_path / f"{name}.tar"])


def test_a_damaged_sample_is_left_out_alone(tmp_path: Path, toy: Modality) -> None:
    with webdataset.TarWriter(str(tmp_path / "a.tar")) as out:
        out.write({"__key__": "good", "npy": recording(4)})
        out.write({"__key__": "bad", "npy": b"no array"})
    with pytest.raises(InputError, match=r"a.tar#bad.npy: "):
        folder_content(toy, DATA, tmp_path / "a.tar")
    content = folder_content(toy, DATA.model_copy(update={"skip_bad": True}), tmp_path / "a.tar")
    assert [one.key for one in content.recordings] == ["a.tar#good.npy"]
    assert [(left.path.name, left.reason) for left in content.left_out] == [("a.tar#bad.npy", "damaged")]


def test_without_the_library_its_extra_is_named(
    shards: Path, toy: Modality, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqdis.core.data.tar_shards.has_shards", lambda: False)
    monkeypatch.setattr("seqdis.core.data.discovery.has_shards", lambda: False)
    with pytest.raises(InputError, match=r"webdataset is not installed; pip install 'seqdis-core\[shards\]'"):
        find_inputs(toy, [shards])
    np.save(shards.parent / "a.npy", recording(0))
    found = find_inputs(toy, [shards.parent])
    assert describe_left_out(found.left_out) == [
        "3 files of other kinds: 3 .tar (pip install 'seqdis-core[shards]')"
    ]


def test_a_link_to_a_shard_counts_once(shards: Path, toy: Modality) -> None:
    (shards.parent / "again.tar").symlink_to(shards.parent / "set-000.tar")
    found = find_inputs(toy, [shards.parent])
    assert len(found.paths) == 12
    assert [left.reason for left in found.left_out] == ["twice"]


def test_metadata_that_is_damaged_is_named(tmp_path: Path, toy: Modality) -> None:
    with webdataset.TarWriter(str(tmp_path / "a.tar")) as out:
        out.write({"__key__": "one", "npy": recording(4), "json": b"{"})
    settings = DATA.model_copy(update={"label_fields": ("speaker",)})
    with pytest.raises(InputError, match=r"a.tar#one.json: cannot be read as JSON"):
        folder_content(toy, settings, tmp_path / "a.tar")
