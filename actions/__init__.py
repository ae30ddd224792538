"""Custom actions. Rasa finds them through `actions_module: actions`, the action server through `--actions actions`."""
