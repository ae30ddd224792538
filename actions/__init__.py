"""Custom actions: `actions_module: actions` and `python -m rasa_sdk --actions actions` find them here."""
