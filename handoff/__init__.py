"""The rules of a handoff: who owns a conversation, what was said, what is owed to whom.

Imports neither Rasa nor Sanic nor ServiceNow; see ``docs/architecture.md``.
"""
