"""``python -m chaos.nursery``: gives birth to one life of the server after another.

Importing Rasa takes seconds, so this process imports everything, opens nothing, and forks a child
per life. It reads one command per line and writes what happened, one JSON object per line.
"""

from __future__ import annotations

import json
import os
import sys
import traceback

import structlog

from chaos.labels import Sentence
from chaos.server import live
from chaos.stage import Stage


def main() -> None:
    """Read the stage, then a sentence per life, until standard input ends."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
    stage = Stage.read(json.loads(_read_line()))
    _say(open=True)
    while line := _read_line():
        pid = os.fork()
        if pid == 0:
            _live(stage, Sentence(**json.loads(line)))
        _say(born=pid)
        _, status = os.waitpid(pid, 0)
        _say(gone=pid, status=status)


def _live(stage: Stage, sentence: Sentence) -> None:
    try:
        live(stage, sentence)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _read_line() -> str:
    """Unbuffered, as a child must not inherit what was read ahead."""
    line = b""
    while byte := os.read(0, 1):
        if byte == b"\n":
            break
        line += byte
    return line.decode()


def _say(**what: object) -> None:
    os.write(1, (json.dumps(what) + "\n").encode())


if __name__ == "__main__":
    main()
