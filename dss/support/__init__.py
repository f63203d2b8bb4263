"""Helpers that any stage may use and that know no stage: files, progress, units, spelling."""
