"""``python -m chaos``: break it for a while, and count what was lost."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from chaos.checker import check, write_table
from chaos.mutants import MUTANTS
from chaos.run import Options, run
from chaos.services import find_missing

ATTEMPTS = 3  # runs in which a mutant may show itself, each with its own seed and twice as long


def main(argv: list[str] | None = None) -> int:
    """Run once, or once per mutant; 1 where a count is not zero, or a mutant was not caught."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of misfortune, before healing")
    parser.add_argument("--seed", type=int, help="drawn and printed where it is not given")
    parser.add_argument("--requesters", type=int, default=8)
    parser.add_argument("--folder", type=Path, help="for the histories and the logs; else a temporary one")
    parser.add_argument("--mutant", choices=[*MUTANTS, "all"], help="run with a deliberate mistake")
    parser.add_argument("--topology", choices=("single", "cluster"), default="single")
    parser.add_argument("--processes", type=int, default=2, help="servers of a cluster")
    parser.add_argument("--questions", action="store_true", help="the desk asks something first")
    options = parser.parse_args(argv)
    processes = options.processes if options.topology == "cluster" else 1
    if processes > 1 and (missing := find_missing()):
        parser.error(
            f"a cluster needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} absent"
        )
    seed = random.SystemRandom().randrange(2**31) if options.seed is None else options.seed
    folder = options.folder or Path(tempfile.mkdtemp(prefix="chaos-"))
    print(f"Seed {seed}, histories and logs in {folder}", flush=True)
    if options.mutant is None:
        plan = Options(options.seconds, seed, options.requesters, _made(folder), processes=processes)
        return _run(replace(plan, asks_first=options.questions))
    names = [name for name in _choose(options.mutant) if _can_run(name)]
    plan = Options(options.seconds, seed, options.requesters, folder, processes=processes)
    missed = [name for name in names if not _catch(name, plan)]
    print(
        f"Mutants caught: {len(names) - len(missed)} of {len(names)}. Missed: {', '.join(missed) or 'none'}"
    )
    return 1 if missed else 0


def _choose(mutant: str) -> list[str]:
    return list(MUTANTS) if mutant == "all" else [mutant]


def _can_run(name: str) -> bool:
    """Whether what its topology needs is installed; says so where it is not."""
    missing = find_missing() if MUTANTS[name].needs_cluster else []
    if missing:
        print(f"{name}: not run, as these are not installed: {', '.join(missing)}", flush=True)
    return not missing


def _run(options: Options) -> int:
    report = check(asyncio.run(run(options)))
    print(write_table(report))
    return 0 if report.is_clean else 1


def _catch(name: str, plan: Options) -> bool:
    """Whether one of the counts that the mutant is to be caught by is not zero, in one of a few runs."""
    mutant = MUTANTS[name]
    if mutant.needs_cluster:
        plan = replace(plan, processes=max(plan.processes, 2))
    plan = replace(plan, asks_first=mutant.asks_first)
    for attempt in range(ATTEMPTS):
        options = replace(
            plan,
            seconds=plan.seconds * 2**attempt,
            seed=plan.seed + attempt,
            folder=_made(plan.folder / f"{name}-{attempt}"),
            mutant=name,
        )
        report = check(asyncio.run(run(options)))
        counts = {kind: len(found) for kind, found in report.violations.items() if found}
        is_caught = any(kind in counts for kind in mutant.caught_as)
        verdict = "caught" if is_caught else "missed"
        print(f"{name}: {verdict} in run {attempt + 1}, {counts}", flush=True)
        if is_caught:
            return True
    return False


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
