"""A map of segments: select, look at, hear and name many of them together."""
