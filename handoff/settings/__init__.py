"""Every setting, read from the environment (and from a ``.env`` file) and checked at start.

One module per group; ``Settings`` in ``whole.py`` is all of them. ``HANDOFF_ENV_FILE`` names another
file than ``.env``. ``.env.example`` lists the same names with a sentence each.

What ``whole.py`` has can be imported from here. It is imported itself when something of it is asked for:
most of an operator's commands read one group only, and the others take their time to load.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handoff.settings.whole import *  # noqa: F403 - its __all__
else:

    def __getattr__(name: str) -> object:
        return getattr(import_module("handoff.settings.whole"), name)
