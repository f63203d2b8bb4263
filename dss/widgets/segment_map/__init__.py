"""A map of segments: many are chosen, looked at, heard and named together."""
