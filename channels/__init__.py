"""Rasa's edge: the custom channels and the fork between bot and desk. The rules live in ``handoff``."""
