"""Random edits of files: by byte, and by the structure of JSON."""

import json

HUGE = "__a number of many digits__"  # which json itself would not write
VALUES = (
    *(None, True, False, 0, -1, 1, 2, 10**30, -(2**63), 0.0, 0.5, 1e-320, 1e308, -1e308),
    *(float("nan"), float("inf"), -float("inf")),
    *("", "x", "x" * 10_000, "\x1b[31m", "\ud800", "\0", "../../etc", "<script>alert(1)</script>"),
    *("nan", "1e400", "loss-first", "C5", "{0.__class__}", "chain 1x2x3", "2.10.0rc1"),
    *([], [None], [0], [[]], {}, {"a": 1}, {"schema": 2}),
    HUGE,
)
BYTES = (b"\0", b"\n", b"\xff", b"\xef\xbb\xbf", b"{", b"]", b'"', b",", b"9" * 5000, b"1e400")


def edit_bytes(data, rng):
    """Cut, repeat, overwrite or insert something somewhere."""
    start, length = rng.randrange(len(data) + 1), rng.choice((1, 1, 2, 10, 200))
    part = data[start : start + length]
    return rng.choice(
        (
            lambda: data[:start],
            lambda: data[:start] + data[start + length :],
            lambda: data[:start] + part * 2 + data[start + length :],
            lambda: data[:start] + rng.choice(BYTES) + data[start + length :],
            lambda: data[:start] + bytes([rng.randrange(256)]) + data[start + 1 :],
            lambda: data[start:] + data[:start],
        )
    )()


def places(node, path=()):
    """Yield the path to every value in a JSON document."""
    yield path
    if isinstance(node, list):
        node = dict(enumerate(node))
    for key, value in node.items() if isinstance(node, dict) else ():
        yield from places(value, (*path, key))


def edit_structure(document, rng):
    """Replace, remove, rename, repeat or move one value of a JSON document; return its text."""
    document = json.loads(json.dumps(document))
    path = rng.choice(list(places(document))[1:])
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    key, how = path[-1], rng.randrange(6)
    if how == 0:
        del parent[key]
    elif how == 1 and isinstance(parent, dict):
        parent[rng.choice(("", "x", "kind", "schema", "dims", "version"))] = parent.pop(key)
    elif how == 2 and isinstance(parent, list):
        parent *= 2
    elif how == 3:
        other = rng.choice(list(places(document)))
        parent[key] = json.loads(json.dumps(at(document, other)))
    else:
        parent[key] = rng.choice(VALUES)
    text = json.dumps(document)
    return text.replace(f'"{HUGE}"', "9" * rng.choice((400, 5000)))


def at(document, path):
    for key in path:
        document = document[key]
    return document


def hostile_texts(good):
    """Return texts that no edit at random would make of a good one."""
    deep = 100_000
    return {
        "nothing": b"",
        "deep lists": b"[" * deep + b"]" * deep,
        "deep objects": b'{"a":' * deep + b"1" + b"}" * deep,
        "a long line": b'{"a": "' + b"x" * 10_000_000 + b'"}',
        "many digits": b'{"schema": ' + b"9" * 5000 + b"}",
        "a huge exponent": b'{"schema": 1e99999}',
        "twice a key": good.replace(b"{", b'{"kind": "x", "kind": "cell", ', 1),
        "a byte order mark": b"\xef\xbb\xbf" + good,
        "UTF-16": good.decode().encode("utf-16"),
        "a lone surrogate": good.replace(b"{", b'{"\\ud800": 1, ', 1),
        "a number alone": b"3",
        "a list": b"[]",
    }
