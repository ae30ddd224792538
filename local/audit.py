"""``python -m local.audit``: are vulnerabilities known of what we depend on? Part of ``make check``.

Looks at the locked Python packages with pip-audit and at the chat page's with npm. Where no
database of vulnerabilities can be reached it says "not audited" and why, and does not fail,
unless ``--required``. What is known and was judged is in ``pyproject.toml``, under
``tool.handoff.accepted-vulnerabilities``: id and reason.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from local.npm import ROOT, find_npm

LOCKS = ("requirements.lock", "requirements-dev.lock")
PATIENCE = 1800.0  # seconds for one tool; some hundred requests, where the network is slow


class Verdict(Enum):
    """What was found; ``UNKNOWN`` means that nobody could be asked."""

    CLEAN = "audited"
    VULNERABLE = "vulnerable"
    UNKNOWN = "not audited"


@dataclass(frozen=True)
class Report:
    """What one tool says; each line is one finding, or the reason why there is none."""

    what: str
    verdict: Verdict
    lines: Sequence[str] = ()

    def __str__(self) -> str:
        if self.verdict is Verdict.VULNERABLE:
            return "\n".join([f"{self.what}: {self.verdict.value}", *(f"  {line}" for line in self.lines)])
        return ": ".join([self.what, self.verdict.value, *self.lines])


def main(arguments: Sequence[str] = ()) -> int:
    """Print both reports; 1 where something is vulnerable, or where ``--required`` was not audited."""
    parser = argparse.ArgumentParser(prog="python -m local.audit", description=__doc__)
    parser.add_argument("--required", action="store_true", help="fail where something was not audited")
    options, more = parser.parse_known_args(arguments)
    accepted = read_accepted(ROOT / "pyproject.toml")
    reports = [audit_python(ROOT, accepted, more), audit_npm(ROOT / "widget", accepted)]
    for report in reports:
        print(report)
    return judge(reports, required=options.required)


def judge(reports: Iterable[Report], *, required: bool) -> int:
    """The exit code."""
    bad = {Verdict.VULNERABLE, Verdict.UNKNOWN} if required else {Verdict.VULNERABLE}
    return int(any(report.verdict in bad for report in reports))


def read_accepted(pyproject: Path) -> dict[str, str]:
    """Vulnerabilities that were judged: the reason by the id."""
    tool = tomllib.loads(pyproject.read_text()).get("tool", {})
    return dict(tool.get("handoff", {}).get("accepted-vulnerabilities", {}))


# -- Python ---------------------------------------------------------------------------


def audit_python(root: Path, accepted: Mapping[str, str], options: Sequence[str] = ()) -> Report:
    """Ask about one package first: where that is not answered, hundreds of others are not worth asking."""
    what = "Python packages"
    with TemporaryDirectory() as folder:
        probe = Path(folder) / "one.txt"
        probe.write_text(
            next(line for line in (root / LOCKS[0]).read_text().splitlines()).strip(" \\") + "\n"
        )
        first = _ask_pip_audit([probe], ["--no-deps", *options])
    if (found := read_pip_audit(what, first, accepted)).verdict is Verdict.UNKNOWN:
        return found
    return read_pip_audit(what, _ask_pip_audit([root / lock for lock in LOCKS], options), accepted)


def read_pip_audit(
    what: str, outcome: subprocess.CompletedProcess[str], accepted: Mapping[str, str]
) -> Report:
    """pip-audit answers 0 as well where it could look nothing up; it says so per package."""
    try:
        packages = json.loads(outcome.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Report(what, Verdict.UNKNOWN, [_last_line(outcome.stderr)])
    skipped = [package["skip_reason"] for package in packages if "skip_reason" in package]
    lines = [line for package in packages for line in _describe_package(package, accepted)]
    if not lines and skipped and len(skipped) == len(packages):
        return Report(what, Verdict.UNKNOWN, [skipped[0]])
    if lines:
        return Report(what, Verdict.VULNERABLE, lines)
    count = f"{len(packages) - len(skipped)} of {len(packages)}, nothing known"
    return Report(what, Verdict.CLEAN, [count, *skipped])


def _describe_package(package: Mapping[str, Any], accepted: Mapping[str, str]) -> Iterable[str]:
    for found in package.get("vulns", ()):
        if not {found["id"], *found.get("aliases", ())} & accepted.keys():
            fixed = ", ".join(found.get("fix_versions") or ["no version yet"])
            yield f"{package['name']} {package['version']}: {found['id']}, fixed in {fixed}"


def _ask_pip_audit(files: Sequence[Path], options: Sequence[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--format=json", "--desc=off", *options]
    named = [word for file in files for word in ("-r", str(file))]
    return _run([*command, "--progress-spinner=off", *named], ROOT)


# -- npm ------------------------------------------------------------------------------


def audit_npm(folder: Path, accepted: Mapping[str, str]) -> Report:
    """By ``npm audit`` on the lock file of the chat page."""
    environment = dict(os.environ)
    npm = find_npm(environment)
    if npm is None:
        return Report("npm packages", Verdict.UNKNOWN, ["there is no npm; make widget fetches it"])
    return read_npm(_run([npm, "audit", "--json", "--package-lock-only"], folder, environment), accepted)


def read_npm(outcome: subprocess.CompletedProcess[str], accepted: Mapping[str, str]) -> Report:
    """``npm audit`` answers with ``vulnerabilities`` by package, or with ``message`` where it failed."""
    what = "npm packages"
    try:
        told = json.loads(outcome.stdout)
        packages = told["vulnerabilities"]
        count = told["metadata"]["dependencies"]["total"]
    except (ValueError, KeyError, TypeError):
        return Report(what, Verdict.UNKNOWN, [_last_line(_find_message(outcome.stdout) or outcome.stderr)])
    lines = [
        f"{name} {package['range']}: {advisory['url']}, {advisory['severity']}"
        for name, package in packages.items()
        for advisory in package["via"]
        if isinstance(advisory, dict) and advisory["url"].rpartition("/")[2] not in accepted
    ]
    if lines:
        return Report(what, Verdict.VULNERABLE, lines)
    return Report(what, Verdict.CLEAN, [f"{count}, nothing known"])


def _find_message(text: str) -> str:
    """The status of a failed request, without the address of the registry."""
    try:
        return str(json.loads(text)["message"]).partition(" - ")[0]
    except (ValueError, KeyError, TypeError):
        return ""


def _run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - our own words
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", f"{type(error).__name__}")


def _last_line(text: str) -> str:
    return next(reversed(text.strip().splitlines()), "no answer")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
