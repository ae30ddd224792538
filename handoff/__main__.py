"""``python -m handoff``: what an operator does by hand. The commands are in ``handoff/operator/``."""

from __future__ import annotations

import gc
import sys

if __name__ == "__main__":
    # A tenth of a short command's time went into looking for garbage in freshly imported modules.
    gc.disable()

    from handoff.operator.commands import run

    sys.exit(run())
