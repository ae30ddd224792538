"""The chaos proof: real processes that are killed and cut off, a history, and a checker that reads it.

See ``docs/chaos.md``.
"""
