"""Forms: the options of a stage as widgets, and the work that they start."""
