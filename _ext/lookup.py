"""Sphinx extension: lists of figures and algorithms, and links from code and terms to where they are explained."""

import re

from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from sphinx_proof.nodes import NODE_TYPES

ALGORITHM = NODE_TYPES["algorithm"]


class numbered_list(nodes.General, nodes.Element):
    """Stands for a list until all pages are numbered."""


class NumberedList(SphinxDirective):
    """``{numbered-list} figure`` or ``{numbered-list} algorithm``: every one of the book, with a link."""

    required_arguments = 1

    def run(self):
        return [numbered_list(kind=self.arguments[0])]


def entries(env, kind):
    """Yield (number, page, name on the page, nodes of the title) of each figure or algorithm."""
    for page, numbers in env.toc_fignumbers.items():
        doctree = env.get_doctree(page)
        for node in doctree.findall(nodes.figure if kind == "figure" else ALGORITHM):
            name = next((name for name in node["ids"] if name in numbers.get(kind, {})), None)
            if name:
                title = next(node.findall(nodes.caption if kind == "figure" else nodes.title))
                yield numbers[kind][name], page, name, title.children


def plain(children):
    """Copy a title without its links and notes, but with its formulas."""
    for child in children:
        if isinstance(child, nodes.Text | nodes.math | nodes.emphasis | nodes.literal):
            yield child.deepcopy()
        else:
            yield nodes.Text(child.astext())


def fill_lists(app, doctree, docname):
    """Put the entries, in the order of their numbers, where the directives stood."""
    for place in list(doctree.findall(numbered_list)):
        kind = place["kind"]
        items = nodes.bullet_list(classes=["numbered-list"])
        for number, page, name, title in sorted(entries(app.env, kind), key=lambda entry: entry[0]):
            address = f"{app.builder.get_relative_uri(docname, page)}#{name}"
            shown = f"{'Fig.' if kind == 'figure' else 'Algorithm'} {'.'.join(map(str, number))}"
            link = nodes.reference("", shown, refuri=address, internal=True)
            items += nodes.list_item(
                "", nodes.paragraph("", "", link, nodes.Text(" "), *plain(title))
            )
        place.replace_self(items)


def link_code(app, doctree, docname):
    """Let code that names a part of the module lead to its entry in the API pages."""
    api = app.env.get_domain("py").objects
    for literal in list(doctree.findall(nodes.literal)):
        name = literal.astext().removesuffix("()")
        found = api.get(name) or api.get(f"simpor.{name}") or api.get(f"simpor.lab.{name}")
        if not found or found.docname == docname or isinstance(literal.parent, nodes.reference):
            continue
        address = f"{app.builder.get_relative_uri(docname, found.docname)}#{found.node_id}"
        literal.replace_self(
            nodes.reference("", "", literal.deepcopy(), refuri=address, internal=True)
        )


# Terms of the glossary that mean the same wherever they stand; each is linked where it comes first on a page.
TERMS = {
    "as published": "as published",
    "raw data": "raw data",
    "public code": "public code",
    "macro-F1": "macro-F1",
    "nats": "nat",
    "95 % interval": "95 % interval",
    "oversampling": "oversampling, undersampling",
    "local symmetry": "local symmetry",
    "feature space": "feature space",
    "entropy difference": "entropy difference",
}


def definition(app, term):
    """Address and text of an entry of the glossary."""
    page, name = app.env.get_domain("std")._terms[term.lower()]
    titles = app.env.get_domain("std").labels
    for item in app.env.get_doctree(page).findall(nodes.definition_list_item):
        if any(name in child["ids"] for child in item.findall(nodes.term)):
            text = next(item.findall(nodes.definition)).astext()
            # what stands for a citation, and for the title of a chapter, before pages are resolved
            text = re.sub(r" [a-z]+\d{4}[a-z]+\b", "", text)
            return page, name, re.sub(r"\bch-[\w-]+", lambda label: titles[label[0]][2], text)
    raise KeyError(term)


def link_terms(app, doctree, docname):
    """Let the first mention of a term in the text of a chapter lead to the glossary."""
    if not re.match(r"book/(\d\d_|speed|summary)", docname):
        return
    for words, term in TERMS.items():
        place = re.compile(rf"(?<![\w-]){words}(?:s\b|(?![\w-]))")
        for text in doctree.findall(nodes.Text):
            paragraph = text.parent
            if not isinstance(paragraph, nodes.paragraph) or not (found := place.search(text)):
                continue
            page, name, meaning = definition(app, term)
            address = f"{app.builder.get_relative_uri(docname, page)}#{name}"
            link = nodes.reference(
                "", found[0], refuri=address, internal=True, reftitle=meaning, classes=["term"]
            )
            before, after = nodes.Text(text[: found.start()]), nodes.Text(text[found.end() :])
            paragraph.replace(text, [before, link, after])
            break


def setup(app):
    app.add_node(numbered_list)
    app.add_directive("numbered-list", NumberedList)
    app.connect("doctree-resolved", fill_lists)
    app.connect("doctree-resolved", link_code)
    app.connect("doctree-resolved", link_terms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
