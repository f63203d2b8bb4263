"""Reviewing: look at data, find what to check first, and make corrections.

A module is imported when you first name it, as in `dss.review.rounds.next_round`.
"""

from typing import TYPE_CHECKING

from dss.support.submodules import imported_when_named

if TYPE_CHECKING:  # for editors and type checkers
    from dss.review import annotation_errors as annotation_errors
    from dss.review import naming as naming
    from dss.review import novel_sounds as novel_sounds
    from dss.review import proofread as proofread
    from dss.review import proposals as proposals
    from dss.review import rounds as rounds
    from dss.review import segment_features as segment_features
    from dss.review import segment_groups as segment_groups
    from dss.review import views as views

__getattr__, __dir__ = imported_when_named(__name__, __path__)
