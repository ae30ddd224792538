"""ServiceNow as a desk: the Virtual Agent Bot Integration API, its callbacks, and the incident table.

Facts come from ServiceNow's public documentation and are cited by page; none of this has been
run against a real instance (see the README).
"""
