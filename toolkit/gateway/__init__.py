"""The gateway: many nodes behind one door."""
