"""Shards of factors joined into one file of arrays, a shard in memory at a time."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save

from seqdis.core.analysis.factor_shards import FactorShards
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.files import replace_file

__all__ = ["write_npz", "write_safetensors"]

LARGEST_HEADER = 100_000_000


def write_safetensors(shards: FactorShards, path: Path) -> None:
    """Write the file that :meth:`Factors.save` would write of all factors; see
    :class:`~seqdis.core.factor_file.FactorFile`.

    Raises:
        InputError: The keys do not fit into the file's header, or the disk is full.
    """
    total = len(shards)
    first = next(shards.packed())
    # What safetensors makes of tensors without rows says in which order it writes them.
    empty = save(
        {name: value[:0].contiguous() for name, value in first.items()}, shards.description.metadata()
    )
    header = json.loads(empty[8 : 8 + struct.unpack("<Q", empty[:8])[0]])
    places, end = {}, 0
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        places[name] = end
        end += total * first[name][0].numel() * first[name].element_size()
        entry |= {"shape": [total, *first[name].shape[1:]], "data_offsets": [places[name], end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > LARGEST_HEADER:
        raise InputError(
            f"{path}: the {total} keys take {len(text)} bytes; the header of a safetensors file holds {LARGEST_HEADER}; "
            "give a folder, .parquet or .npz as --out"
        )
    with replace_file(path) as partial, partial.open("r+b") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        start = file.tell()
        file.truncate(start + end)
        for tensors in shards.packed():
            for name in places:
                content = tensors[name].contiguous()
                file.seek(start + places[name])
                places[name] += file.write(content.flatten().view(torch.uint8).numpy().data)


def write_npz(shards: FactorShards, path: Path) -> None:
    """Write one array a part: ``static``, ``dynamic``, ``extra.<side>.<name>``, ``keys``, and where there are any
    ``mask``, ``stamps`` and ``label.<name>``.

    Raises:
        InputError: The disk is full.
    """
    first = next(iter(shards))
    parts = _arrays(first)
    with replace_file(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for name, value in parts.items():
            # An array's header says how many rows there are and how long the longest text, so it comes first.
            dtype = _text_type(shards, name) if value.dtype.kind == "U" else value.dtype
            shape = (len(shards), *value.shape[1:])
            described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array_header_2_0(file, described)
                for factors in shards:
                    file.write(np.ascontiguousarray(_arrays(factors)[name].astype(dtype)).tobytes())


def _arrays(factors: Factors) -> dict[str, np.ndarray]:
    """All parts of some factors, by the names that they have in a file."""
    values = factors.numpy()
    arrays = {
        "static": values.static,
        "dynamic": values.dynamic,
        "keys": np.array(values.keys, dtype=np.str_),
    }
    arrays |= {f"extra.{factors.extras[name].side}.{name}": value for name, value in values.extras.items()}
    if values.mask is not None:
        arrays["mask"] = values.mask
    if values.stamps is not None:
        arrays["stamps"] = values.stamps
    return arrays | {f"label.{name}": value for name, value in values.labels.items()}


def _text_type(shards: FactorShards, name: str) -> np.dtype:
    """The type of an array of texts, all as wide as the longest of any shard."""
    description = shards.description
    texts = description.keys if name == "keys" else description.labels[name.removeprefix("label.")]
    return np.dtype(f"<U{max(1, *map(len, texts or ['']))}")
