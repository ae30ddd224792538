"""``make lock``: the lock files anew, with hashes and without the address of any index."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILE = ["uv", "pip", "compile", "--quiet", "--upgrade", "--universal", "--python-version", "3.11"]
OPTIONS = ["--generate-hashes", "--no-header", "--no-emit-index-url"]
LOCKS = {
    "requirements.lock": ["pyproject.toml"],
    "requirements-dev.lock": ["-c", "requirements.lock", "--group", "dev"],
    "requirements-node.lock": ["requirements-node.in"],
}


def main() -> int:
    for lock, source in LOCKS.items():
        command = [sys.executable, "-m", *COMPILE, *OPTIONS, *source, "-o", lock]
        if code := subprocess.run(command, cwd=ROOT, check=False).returncode:  # noqa: S603 - our own words
            return code
        print(f"Wrote {lock}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
