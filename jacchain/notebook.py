"""What a notebook shows of a value: a table in HTML, in which all text is text."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice

MOST_ROWS = 30


def html_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], note: str = ""
) -> str:
    """Return a table with its title above and a note below; of many rows, the first ones.

    Examples
    --------
    >>> print(html_table("a < b", ["name"], [["<i>"]], "one row"))
    <table>
    <caption>a &lt; b</caption>
    <thead><tr><th>name</th></tr></thead>
    <tbody>
    <tr><td>&lt;i&gt;</td></tr>
    </tbody>
    </table>
    <p>one row</p>
    """
    remaining = iter(rows)
    lines = [_row("td", row) for row in islice(remaining, MOST_ROWS)]
    hidden = sum(1 for _ in remaining)
    if hidden:
        note = f"{hidden:,} more rows are not shown. {note}".strip()
    return "\n".join(
        [
            "<table>",
            f"<caption>{escape(title)}</caption>",
            f"<thead>{_row('th', columns)}</thead>",
            "<tbody>",
            *lines,
            "</tbody>",
            "</table>",
            *([f"<p>{escape(note)}</p>"] if note else []),
        ]
    )


def _row(tag: str, cells: Iterable[object]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(str(cell))}</{tag}>' for cell in cells)}</tr>"


def dims_text(dims: Sequence[int]) -> str:
    """Write sizes; of many the first and the last.

    Examples
    --------
    >>> dims_text((1, 10, 784)), dims_text(range(1, 100))
    ('(1, 10, 784)', '(1, 2, 3, ..., 97, 98, 99)')
    """
    sizes = list(map(str, dims))
    if len(sizes) > 8:
        sizes = [*sizes[:3], "...", *sizes[-3:]]
    return f"({', '.join(sizes)})"
