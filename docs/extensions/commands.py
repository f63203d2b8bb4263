"""Writes `command_line.md` from the switches that `dss` really has."""

from pathlib import Path

from dss.cli import _parser

HEAD = """\
# The command line

Everything that dss does to files is a command: `dss COMMAND`. `dss COMMAND --help` says the same as
this page, which is made from it. Switches have the names of the options in Python, with dashes. A
switch that is on or off reads both ways: `--reduce-lr`, `--no-reduce-lr`, `--reduce-lr False`.

A command ends with exit code 0; with 2 if its input cannot be used, and a message that says what to
do; with 130 after Ctrl-C.
"""


def write_commands(app):
    """Write the page, if it changed."""
    _, commands = _parser()
    text = "\n".join([HEAD, *(_section(name, parser) for name, parser in commands.items())])
    path = Path(app.srcdir) / "command_line.md"
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def _section(name, parser):
    """One command: what it does, how it is called, and its switches by group."""
    positionals = [a for a in parser._actions if not a.option_strings]
    call = " ".join(["dss", name, *(a.dest.upper() for a in positionals), "[SWITCHES]"])
    lines = [f"## dss {name}", "", parser.description or "", "", f"    {call}", ""]
    for action in positionals:
        lines += [f"`{action.dest.upper()}`", f": {_text(action)}", ""]
    for group in parser._action_groups:
        switches = [
            a for a in group._group_actions if a.option_strings and a.help != "==SUPPRESS=="
        ]
        if not switches or switches == [parser._actions[0]]:  # --help alone
            continue
        if group.title not in ("options", None):
            lines += [f"**{group.title}**", ""]
        for action in switches:
            if "--help" not in action.option_strings:
                lines += [f"`{_switch(action)}`", f": {_text(action)}", ""]
    return "\n".join(lines)


def _switch(action):
    value = action.metavar or ""
    value = f"{value} [{value} ...]" if action.nargs == "+" else value
    value = f"[{value}]" if action.nargs == "?" else value
    return f"{action.option_strings[0]} {value}".strip()


def _text(action):
    """The help of a switch, as Markdown takes it."""
    text = (action.help or "").replace("%%", "%")
    for character in "\\*_<>[]$":
        text = text.replace(character, f"\\{character}")
    return text


def setup(app):
    """Write the page before Sphinx looks for pages."""
    app.connect("builder-inited", write_commands)
    return {"parallel_read_safe": True}
