"""Files of both sides: bytes in a store, everything about them in the ledger.

``cabinet`` is the whole of it, ``file`` has its words.
"""
