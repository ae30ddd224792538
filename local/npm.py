"""``python -m local.npm ARGS``: npm in ``widget/``; the machine's own, or one from a Python package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements-node.lock"
QUIET = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def main(arguments: list[str]) -> int:
    """Run npm in ``widget/``; its exit code."""
    environment = dict(os.environ)
    npm = find_npm(environment)
    if npm is None:
        print("Node.js is not installed; fetching it as a Python package ...", flush=True)
        subprocess.run(install_command(), check=True)  # noqa: S603 - our own words
        npm = find_npm(environment)
    if npm is None:
        print("There is no npm, and no Python package of it for this machine. Please install Node.js 20.")
        return 1
    extra = QUIET if arguments[:1] == ["ci"] else ("--silent",)
    command = [npm, *arguments, *extra]
    return subprocess.run(command, cwd=ROOT / "widget", env=environment, check=False).returncode  # noqa: S603


def find_npm(environment: dict[str, str]) -> str | None:
    """The machine's npm, else the one in this Python environment; the latter needs its own folder in PATH."""
    scripts = str(Path(sys.executable).parent)
    if found := shutil.which("npm", path=environment.get("PATH", "")):
        return found
    environment["PATH"] = os.pathsep.join([scripts, environment.get("PATH", "")])
    return shutil.which("npm", path=scripts)


def install_command() -> list[str]:
    return [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(LOCK)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
