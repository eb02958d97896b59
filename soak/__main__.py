"""``python -m soak --minutes 30``: run the soak from the repository's root and add up its counts."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOY = ROOT / "tests" / "core" / "toy"


def main() -> int:
    """Read the arguments, run, and return 0 where nothing failed, else 1."""
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (default: 30)")
    parser.add_argument("--seed", type=int, default=0, help="seed of all that is drawn (default: 0)")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "results" / "soak.json", help="the counts, added to"
    )
    parser.add_argument("--fresh", action="store_true", help="count from zero")
    parser.add_argument("--parts", default="", help="only these, with commas between")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes at a time")
    parser.add_argument(
        "--kept", type=Path, default=ROOT / "runs" / "soak", help="where files that failed are kept"
    )
    parser.add_argument("--again", default="", metavar="NAME", help="run one failure again")
    options = parser.parse_args()
    # One thread a process: what is forked must have no others, and results must not depend on how many there are.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    # The toy modality is small and quick; its folder is what an installed package would be.
    sys.path.insert(0, str(TOY))
    from soak.again import run_again
    from soak.commands import import_everything
    from soak.session import Session
    from soak.tally import PARTS

    chosen = [part for part in options.parts.split(",") if part] or list(PARTS)
    unknown = sorted(set(chosen) - set(PARTS))
    if unknown:
        parser.error(f"unknown part {unknown[0]!r}; allowed: {', '.join(PARTS)}")
    import_everything()
    with tempfile.TemporaryDirectory(prefix="seqdis-soak-", dir=_in_memory()) as place:
        if options.again:
            return 0 if run_again(options.again, options.out, options.kept, Path(place)) else 1
        session = Session(
            out=options.out, kept=options.kept, seed=options.seed, parts=chosen, place=Path(place)
        )
        return session.run(options.minutes, jobs=max(1, options.jobs), fresh=options.fresh)


def _in_memory() -> str | None:
    """A folder in memory, where files cost no disk; a kill is none of a machine, so that nothing is lost by it."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


if __name__ == "__main__":
    raise SystemExit(main())
