"""The operator's commands: one module per subject, imported when its command is run.

To add one: write a function with typer's annotations in a module here, and name it in
``commands.py``. What all of them share is in ``session.py`` (the ledger), ``choosing.py`` (which
handoff is meant) and ``output.py`` (for people and, with ``--json``, for programs).
"""
