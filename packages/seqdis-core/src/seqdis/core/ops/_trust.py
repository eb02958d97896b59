"""Whether a file that would be executed can have come from somebody else, or be another one than was built."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

from seqdis.core.errors import InputError
from seqdis.core.files import replace_with_json

__all__ = ["MANIFEST_FILE", "note_library", "why_not_trusted", "why_others_can_write"]

MANIFEST_FILE = "manifest.json"
"""Name of the file that holds the hash of each library of its folder, written when the library was built."""

_FORMAT = 1


def why_not_trusted(library: Path) -> str | None:
    """None where a library may be loaded, else why not: somebody else could have changed it, or it is not as it was built.

    It, the manifest beside it and all folders above must belong to this user or to root, and nobody else may be able to
    write to them; and its SHA-256 must be that of the manifest.

    Args:
        library: Path without links, as :meth:`pathlib.Path.resolve` gives it.
    """
    manifest = library.with_name(MANIFEST_FILE)
    if not manifest.is_file():
        return f"{manifest} is missing, which says what was built"
    if (why := why_others_can_write(library.parent, library, manifest)) is not None:
        return why
    try:
        known = _read(manifest).get(library.name)
    except InputError as error:
        return str(error)
    if known is None:
        return f"{manifest} does not know {library.name}"
    if known != _hash(library):
        return f"{library} is not the file that was built: its hash is not that of {MANIFEST_FILE}"
    return None


def why_others_can_write(folder: Path, *files: Path) -> str | None:
    """None where nobody but this user and root can replace what lies in a folder, else what lets them.

    Args:
        folder: Path of the folder, without links.
        *files: Files in it.
    """
    if os.name != "posix":
        return None  # a user's cache is the user's alone there, and modes say nothing
    for place in (*files, folder, *folder.parents):
        try:
            found = place.lstat()
        except OSError as error:
            return f"{place}: {error.strerror}"
        if found.st_uid not in (os.geteuid(), 0):
            return f"{place} belongs to {_name(found.st_uid)}"
        others = stat.S_IWGRP | stat.S_IWOTH
        if place in folder.parents:
            # In a folder with the sticky bit, such as /tmp, others cannot rename what is not theirs; and in many homes
            # each user has a group of one.
            others = 0 if found.st_mode & stat.S_ISVTX else others
            others &= ~stat.S_IWGRP if _is_private_group(found.st_gid) else others
        if found.st_mode & others:
            return f"others can write to {place} (mode {stat.S_IMODE(found.st_mode):o}); see chmod go-w"
    return None


def note_library(library: Path) -> None:
    """Write the hash of a library that was built into the manifest beside it; the caller has the folder's lock.

    Raises:
        InputError: The disk is full or the file cannot be written.
    """
    manifest = library.with_name(MANIFEST_FILE)
    try:
        libraries = _read(manifest) if manifest.is_file() else {}
    except InputError:
        libraries = {}  # damaged: the others are built anew when they are asked for
    there = {name: digest for name, digest in libraries.items() if library.with_name(name).is_file()}
    replace_with_json(manifest, {"format": _FORMAT, "libraries": there | {library.name: _hash(library)}})
    manifest.chmod(0o644)


def _read(manifest: Path) -> dict[str, Any]:
    try:
        values = json.loads(manifest.read_text(encoding="utf-8"))
        if values["format"] != _FORMAT:
            raise InputError(f"{manifest}: has format {values['format']!r:.80}; this version reads {_FORMAT}")
        return dict(values["libraries"])
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{manifest}: cannot be read: {error}") from error


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_private_group(number: int) -> bool:
    import grp
    import pwd

    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(number)
    except KeyError:
        return False
    return user.pw_gid == number and group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}


def _name(user: int) -> str:
    import pwd

    try:
        return f"the user {pwd.getpwuid(user).pw_name}"
    except KeyError:
        return f"the user {user}"
