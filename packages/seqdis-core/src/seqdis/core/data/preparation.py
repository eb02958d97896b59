"""A folder of files prepared for training: each file by itself, in several processes, and resumable."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqdis.core.data.carried_labels import carry_labels
from seqdis.core.data.discovery import describe_left_out, find_inputs
from seqdis.core.data.file_preparation import FilePreparation
from seqdis.core.data.folder_labels import read_folder_labels
from seqdis.core.data.prepared_record import FAILED_FILE, PREPARED_FILE, PreparedRecord, source_version
from seqdis.core.data.staging import STAGING, remove, replaced_aside
from seqdis.core.data.tar_shards import container_of
from seqdis.core.errors import InputError
from seqdis.core.files import replace_with_json
from seqdis.core.folder_lock import holds_nothing, only_writer
from seqdis.core.progress import Progress
from seqdis.core.worker_processes import outcomes, usable_cores

if TYPE_CHECKING:
    from seqdis.core.modality import Modality

__all__ = ["FailedFile", "PreparedFolder", "prepare_folder"]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FailedFile:
    """A file that could not be prepared: its path below the source folder, and why."""

    source: str
    reason: str


@dataclass(frozen=True)
class PreparedFolder:
    """The outcome of preparing a folder.

    Attributes:
        prepared: Number of files that were prepared.
        kept: Number of files that were prepared before and whose source has not changed.
        gone: Files that were prepared before and whose source is no longer there; they are kept.
        failed: The files that could not be prepared.
    """

    prepared: int
    kept: int
    gone: tuple[str, ...]
    failed: tuple[FailedFile, ...]


@dataclass(frozen=True)
class _Job:
    source: Path
    name: str
    target: str
    version: str


def prepare_folder(
    modality: Modality,
    source: Path,
    out: Path,
    options: Mapping[str, Any],
    *,
    workers: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> PreparedFolder:
    """Prepare all files below a folder, under the same paths below another one.

    Every file appears whole or not at all. What is there already from an earlier call with the same options, from a
    source that has not changed, is not made again; files that failed are tried again. Labels of ``labels.json`` are
    carried over, and what failed is listed in ``failed.json``.

    Args:
        modality: The modality of the files.
        source: A folder, or one file.
        out: The folder of the result; new, empty, or one that this function made.
        options: Settings of the modality's preparation.
        workers: Number of processes; as many as there are cores when omitted.
        force: Whether files that were prepared before, with these options or others, are taken away first.
        progress: Called as ``progress(done, total)``.

    Raises:
        FolderInUseError: Another process writes into ``out``.
        InputError: The modality has no preparation, an option is wrong, nothing can be read below ``source``, one of the
            two folders lies in the other, ``out`` holds other things or was prepared with other options, or two files
            would become the same one.
    """
    preparation = modality.preparation(options)
    _check_apart(source, out)
    with only_writer(out):
        return _prepare(modality, preparation, source, out, workers=workers, force=force, progress=progress)


def _prepare(
    modality: Modality,
    preparation: FilePreparation,
    source: Path,
    out: Path,
    *,
    workers: int | None,
    force: bool,
    progress: Progress | None,
) -> PreparedFolder:
    found = find_inputs(modality, [source])
    for line in describe_left_out(found.left_out):
        _logger.warning("left out: %s", line)
    if packed := [path for path in found.paths if container_of(path) != path]:
        raise InputError(
            f"{container_of(packed[0])}: files are prepared one by one; allowed: a folder of unpacked ones"
        )
    root = source.parent if source in found.paths else source
    labels = read_folder_labels(root)
    jobs = _jobs(preparation, found.paths, root)
    settings = {"modality": modality.name, "options": preparation.options.model_dump(mode="json")}
    record = _start_record(out, settings, jobs, force=force)
    to_do = [job for job in jobs if job.target not in record.files]
    gone = tuple(sorted(record.files.keys() - {job.target for job in jobs}))
    failed: list[FailedFile] = []
    work = functools.partial(_prepare_one, preparation, out)
    ends = outcomes(work, to_do, workers=workers or usable_cores())
    try:
        with contextlib.closing(ends):
            for done, outcome in enumerate(ends, 1):
                job = outcome.job
                if outcome.error is None:
                    record.add(job.target, _entry(job, outcome.value))
                else:
                    failed.append(FailedFile(job.name, outcome.error.removeprefix(f"{job.source}: ")))
                if progress is not None:
                    progress(done, len(to_do))
    finally:
        shutil.rmtree(out / STAGING, ignore_errors=True)
        failed.sort(key=lambda one: one.source)
        _write_failed(out, failed)
        if labels is not None:
            carry_labels(labels, {job.name: job.target for job in jobs}, record)
    return PreparedFolder(len(to_do) - len(failed), len(jobs) - len(to_do), gone, tuple(failed))


def _check_apart(source: Path, out: Path) -> None:
    if not source.exists():
        raise InputError(f"{source}: no such file or folder")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file; the result needs a folder")
    of_source, of_out = source.resolve(), out.resolve()
    if of_source == of_out or of_source in of_out.parents or of_out in of_source.parents:
        raise InputError(f"{out} and {source}: one lies in the other; give a folder beside the files")


def _jobs(preparation: FilePreparation, paths: Sequence[Path], root: Path) -> list[_Job]:
    jobs: dict[str, _Job] = {}
    for path in paths:
        relative = path.relative_to(root)
        suffix = preparation.suffix(path)
        target = relative.with_name((path.name if path.is_dir() else path.stem) + suffix)
        job = _Job(path, relative.as_posix(), target.as_posix(), source_version(path))
        other = jobs.setdefault(job.target, job)
        if other is not job:
            raise InputError(f"{other.source} and {path}: both would become {job.target}; rename one of them")
    for made in jobs:
        inside = [parent.as_posix() for parent in Path(made).parents if parent.as_posix() in jobs]
        if inside:
            raise InputError(
                f"{jobs[made].source} and {jobs[inside[0]].source}: the first would lie in {inside[0]}, which the "
                "second becomes; rename one of them"
            )
    return list(jobs.values())


def _start_record(
    out: Path, settings: Mapping[str, Any], jobs: Sequence[_Job], *, force: bool
) -> PreparedRecord:
    """The record to go on with, which holds what need not be made again, of a folder that is ready to be written to."""
    if not holds_nothing(out) and not (out / PREPARED_FILE).exists():
        raise InputError(f"{out}: holds files that were not prepared by this command; give a new folder")
    record = _known_record(out, force=force) or PreparedRecord(out, settings)
    if record.settings != settings and not force:
        raise InputError(
            f"{out}: was prepared with {_differing(record.settings, settings)}; give another folder, or --force"
        )
    stale = [*record.files] if force else [job.target for job in jobs if not _is_done(record, job)]
    for target in stale:
        if record.files.pop(target, None) is not None:
            remove(out / target)
    record.settings = settings
    shutil.rmtree(out / STAGING, ignore_errors=True)
    record.write()
    return record


def _known_record(out: Path, *, force: bool) -> PreparedRecord | None:
    try:
        return PreparedRecord.read(out)
    except InputError:
        if force:
            return None
        raise


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    if old["modality"] != new["modality"]:
        return f"modality {old['modality']}; now it is {new['modality']}"
    before, now = old["options"], new["options"]
    keys = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    return ", ".join(f"{key}={_show(before.get(key))} (now {_show(now.get(key))})" for key in keys)


def _show(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _is_done(record: PreparedRecord, job: _Job) -> bool:
    entry = record.files.get(job.target, {})
    return entry.get("version") == job.version and (record.folder / job.target).exists()


def _entry(job: _Job, notes: Mapping[str, Any]) -> dict[str, Any]:
    entry = {"source": job.name, "version": job.version}
    return entry | ({"notes": notes} if notes else {})


def _prepare_one(preparation: FilePreparation, out: Path, job: _Job) -> Mapping[str, Any]:
    with replaced_aside(out, job.target) as staged:
        return preparation.prepare(job.source, staged)


def _write_failed(out: Path, failed: Sequence[FailedFile]) -> None:
    if failed:
        rows = [{"source": one.source, "reason": one.reason} for one in failed]
        replace_with_json(out / FAILED_FILE, rows)
    else:
        (out / FAILED_FILE).unlink(missing_ok=True)
