"""ServiceNow as a desk: the Virtual Agent Bot Integration API with its callbacks, or Connect Support.

And the incident table. Facts come from ServiceNow's public documentation and are cited by page,
those of Connect Support from public clients; none of this has been run against a real instance
(see the README).
"""
