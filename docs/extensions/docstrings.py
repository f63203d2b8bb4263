"""Docstrings of dss as napoleon reads them, and signatures that fit on a page."""

import inspect
import re


def write_sections_out(app, what, name, obj, options, lines):
    """`Returns: a table` and `Raises: DssError if ...` on one line become fields."""
    for i, line in enumerate(lines):
        if found := re.match(r"Returns: (.+)", line):
            lines[i] = f":returns: {found[1]}"
        elif found := re.match(r"Warns: (.+)", line):
            lines[i] = f":Warns: {found[1]}"
        elif found := re.match(r"Raises: (\w+) (.+)", line):
            lines[i] = f":raises {found[1]}: {found[2]}"


def shorten_signature(app, what, name, obj, options, signature, return_annotation):
    """The options of a stage, which are listed below, are one word in the signature."""
    if not _takes_options(obj):
        return None
    code = inspect.unwrap(obj).__code__
    own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return f"({', '.join([*own[:-1], '**options'])})", return_annotation


def _takes_options(obj):
    return inspect.isfunction(obj) and "\n\nOptions:\n" in (obj.__doc__ or "")


def setup(app):
    """Connect all to Sphinx; sections are written out before napoleon reads them."""
    app.connect("autodoc-process-docstring", write_sections_out, priority=100)
    app.connect("autodoc-process-signature", shorten_signature)
    return {"parallel_read_safe": True}
