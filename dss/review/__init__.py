"""Reviewing: what there is to look at, what to check first, and corrections.

A module is imported when you first name it, as in `dss.review.rounds.next_round`.
"""

import importlib

_MODULES = (
    "annotation_errors",
    "naming",
    "proofread",
    "proposals",
    "rounds",
    "segment_features",
    "segment_groups",
    "unlike",
    "views",
)


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"dss.review.{name}")
    raise AttributeError(f"module 'dss.review' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_MODULES])
