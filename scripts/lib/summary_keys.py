"""Compares what commands print with --json with the table of docs/json.md.

usage: summary_keys.py docs/json.md FILE...
"""

import json
import re
import sys
from pathlib import Path


def refuse(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def paths(value, path: str, known: set[str], found: set[str]) -> None:
    """Adds the paths of all leaves; a null stands for whatever could be below it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            step = f"{path}.{key}" if path else key
            # Names of a scenario, where the table has a star in place of them.
            if not is_known(step, known) and is_known(f"{path}.*", known):
                step = f"{path}.*"
            paths(inner, step, known, found)
    elif isinstance(value, list):
        for inner in value:
            paths(inner, path + "[]", known, found)
    else:
        found.add(path)


def is_known(path: str, known: set[str]) -> bool:
    return any(key == path or key.startswith((path + ".", path + "[")) for key in known)


def main() -> None:
    table = Path(sys.argv[1]).read_text()
    known = set(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE))
    top = {re.split(r"[.\[]", key)[0] for key in known}
    problems, seen = [], set()
    for name in sys.argv[2:]:
        try:
            # Warnings may stand behind the object.
            summary, _ = json.JSONDecoder(parse_constant=refuse).raw_decode(Path(name).read_text())
        except ValueError as error:
            problems.append(f"{name}: no JSON: {error}")
            continue
        for key in sorted(top.symmetric_difference(summary)):
            problems.append(f"{name}: key {key} is missing here or in the table")
        found: set[str] = set()
        paths(summary, "", known, found)
        problems += [f"{name}: {path} is not in the table"
                     for path in sorted(found) if not is_known(path, known)]
        seen |= found
    problems += [f"no command has printed {key}" for key in sorted(known - seen)]
    print("\n".join(problems) or f"{len(known)} keys as in the table")
    sys.exit(1 if problems else 0)


main()
