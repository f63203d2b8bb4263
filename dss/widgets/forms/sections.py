"""The layout of a form: a heading for each group, with rarely used fields folded away."""

import html
from collections.abc import Mapping
from dataclasses import dataclass

import ipywidgets as widgets

from dss.options import Options, declared, grouped_fields
from dss.widgets.elements import fold
from dss.widgets.forms.fields import Field


@dataclass(frozen=True)
class Fold:
    """Rarely used fields, folded away below a title."""

    widget: widgets.Accordion
    title: str
    fields: Mapping[str, Field]

    def say(self, problems: Mapping[str, str]) -> None:
        """Show in the title how many fields differ from their defaults, and which are wrong."""
        changed = [name for name, f in self.fields.items() if f.value != f.default]
        wrong = [f.option.title or name for name, f in self.fields.items() if name in problems]
        title = self.title
        title += f" · {len(changed)} changed" if changed else ""
        title += f" · ⚠ {', '.join(wrong)}" if wrong else ""
        self.widget.titles = (title,)


def sections(
    options_class: type[Options], fields: Mapping[str, Field]
) -> tuple[list[widgets.Widget], list[Fold]]:
    """The sections of a form, group by group, and the folds in them."""
    shown: list[widgets.Widget] = []
    folds = []
    for title, names in grouped_fields(options_class).items():
        rare = {n: fields[n] for n in names if declared(fields[n].option)["rare"]}
        usual = [n for n in names if n not in rare]
        usual.sort(key=lambda n: not fields[n].option.is_required())
        if usual:
            shown.append(widgets.HTML(f"<h3>{html.escape(title)}</h3>"))
            shown += [fields[name].widget for name in usual]
        if rare:
            labels = ", ".join(str(field.option.title) for field in rare.values())
            name = f"More: {labels}" if usual else title
            folds.append(Fold(fold(name, *(f.widget for f in rare.values())), name, rare))
            shown.append(folds[-1].widget)
    return shown, folds
