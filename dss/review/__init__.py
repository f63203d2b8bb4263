"""Reviewing: what there is to look at, what to check first, and corrections."""
