"""``python -m chaos``: break it for a while, and count what was lost."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from chaos.checker import check, write_table
from chaos.mutants import MUTANTS
from chaos.run import Options, run


def main(argv: list[str] | None = None) -> int:
    """Run once, or once per mutant; 1 where a count is not zero, or a mutant was not caught."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of misfortune, before healing")
    parser.add_argument("--seed", type=int, help="drawn and printed where it is not given")
    parser.add_argument("--requesters", type=int, default=8)
    parser.add_argument("--folder", type=Path, help="for the histories and the logs; else a temporary one")
    parser.add_argument("--mutant", choices=[*MUTANTS, "all"], help="run with a deliberate mistake")
    options = parser.parse_args(argv)
    seed = random.SystemRandom().randrange(2**31) if options.seed is None else options.seed
    folder = options.folder or Path(tempfile.mkdtemp(prefix="chaos-"))
    print(f"Seed {seed}, histories and logs in {folder}", flush=True)
    if options.mutant is None:
        return _run(Options(options.seconds, seed, options.requesters, _made(folder)))
    names = list(MUTANTS) if options.mutant == "all" else [options.mutant]
    missed = [
        name
        for name in names
        if not _catch(Options(options.seconds, seed, options.requesters, _made(folder / name), name))
    ]
    print(
        f"Mutants caught: {len(names) - len(missed)} of {len(names)}. Missed: {', '.join(missed) or 'none'}"
    )
    return 1 if missed else 0


def _run(options: Options) -> int:
    report = check(asyncio.run(run(options)))
    print(write_table(report))
    return 0 if report.is_clean else 1


def _catch(options: Options) -> bool:
    """Whether one of the counts that the mutant is to be caught by is not zero."""
    mutant = MUTANTS[options.mutant or ""]
    report = check(asyncio.run(run(options)))
    counts = {kind: len(found) for kind, found in report.violations.items() if found}
    is_caught = any(kind in counts for kind in mutant.caught_as)
    print(f"{options.mutant}: {'caught' if is_caught else 'MISSED'}, {counts}", flush=True)
    return is_caught


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
