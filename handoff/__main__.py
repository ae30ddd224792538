"""``python -m handoff``: what an operator does by hand. The commands are in ``handoff/operator/``."""

from __future__ import annotations

import gc
import os
import sys

if __name__ == "__main__":
    # A tenth of a short command's time went into looking for garbage in freshly imported modules.
    gc.disable()
    # Pydantic would look through all that is installed for plugins; whoever has one may say so.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

    from handoff.operator.commands import run

    sys.exit(run())
