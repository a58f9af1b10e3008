"""Sphinx extension: a table of claims begins with its verdicts, counts them in a bar, and can be filtered.

The notebooks have plain tables. Here they become what a reader of the page needs: for each claim one line, with the
verdict first, as a badge with its word, and the numbers below it when the line is opened; above the list a bar whose
parts are as wide as the counts and choose what is shown. The choice is a row of radio buttons, and the style sheet
does the rest, so that it works without scripts.
"""

import re
from collections import Counter
from pathlib import Path

from bs4 import BeautifulSoup

TABLE = re.compile(r'<table border="1" class="dataframe">.*?</table>', re.DOTALL)
# A ledger has some of them: chapter 18 has "ours" in the place of the two protocols.
DETAILS = ["paper", "as published", "sound", "ours", "reason", "where"]
# In the order of simpor.lab.claims.VERDICTS.
VERDICTS = ["reproduced", "partly", "not reproduced", "cannot be checked", "not recorded yet"]


def rows_of(table):
    """The rows of a table of claims, as dictionaries; none for another table."""
    head = [
        [cell.get_text() for cell in row.find_all(["th", "td"])] for row in table.thead.select("tr")
    ]
    if len(head) != 2 or "verdict" not in head[0] or head[1][0] != "where":
        return []
    names = ["where", *head[0][1:]]
    return [
        dict(zip(names, (cell.decode_contents() for cell in row.find_all(["th", "td"]))))
        for row in table.tbody.select("tr")
    ]


def choice(name, value, text, share):
    """One part of the bar."""
    return (
        f'<label class="{value.replace(" ", "-")}" style="flex-grow:{share}">'
        f'<input type="radio" name="{name}" value="{value}"{" checked" if value == "all" else ""}>'
        f" {text}</label>"
    )


def ledger(rows, name):
    """The same rows with their verdicts first, below a bar that chooses among them."""
    counts = Counter(row["verdict"] for row in rows)
    bar = [choice(name, "all", f"all {len(rows)}", 0)]
    bar += [choice(name, v, f"{v} {counts[v]}", counts[v]) for v in VERDICTS if counts[v]]
    lines = []
    for row in rows:
        look = row["verdict"].replace(" ", "-")
        details = "".join(
            f"<dt>{name}</dt><dd>{row[name]}</dd>" for name in DETAILS if row.get(name)
        )
        lines.append(
            f'<li class="{look}"><details><summary><span class="verdict {look}">{row["verdict"]}</span>'
            f" {row['claim']}</summary><dl>{details}</dl></details></li>"
        )
    return (
        f'<div class="ledger"><fieldset><legend>Show</legend>{"".join(bar)}</fieldset>'
        f"<ul>{''.join(lines)}</ul></div>"
    )


def rewrite_ledgers(app, exception):
    """Put ledgers in the place of plain tables of claims."""
    if exception is not None or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if "<th>verdict</th>" not in text:
            continue

        def replace(match):
            rows = rows_of(BeautifulSoup(match[0].replace("<td></td>", "<th></th>"), "html.parser"))
            return ledger(rows, f"ledger-{match.start()}") if rows else match[0]

        page.write_text(TABLE.sub(replace, text), encoding="utf-8")


def setup(app):
    app.connect("build-finished", rewrite_ledgers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
