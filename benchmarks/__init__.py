"""What a diverted message costs, against a bare relay and the original design."""
