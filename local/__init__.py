"""``make run``: the whole system on this machine, bound to loopback."""
