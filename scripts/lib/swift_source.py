"""What the checks share: Swift files, and their text without comments and strings."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# In the order of precedence: what starts first wins, so "//" inside of a string is text.
_TOKENS = re.compile(
    r'(?P<block>/\*.*?\*/)|(?P<line>//[^\n]*)|(?P<raw>#+"(?:.*?)"#+)'
    r'|(?P<long>""".*?""")|(?P<text>"(?:\\.|[^"\\\n])*")',
    re.DOTALL,
)


def code_only(text: str) -> str:
    """The text with comments and strings blanked out; lines and columns stay where they are."""

    def blank(match: re.Match) -> str:
        return re.sub(r"[^\n]", " ", match.group(0))

    return _TOKENS.sub(blank, text)


def swift_files(folder: Path) -> list[Path]:
    """Sources of ours: what was built or fetched lies in folders that begin with a dot."""
    return sorted(
        file for file in folder.rglob("*.swift")
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def finish(name: str, problems: list[str], looked_at: int) -> None:
    """Prints what was found and ends with 1, or says how much was looked at."""
    for problem in problems:
        print(problem)
    if problems:
        sys.exit(f"{name}: {len(problems)} problem(s)")
    if looked_at == 0:
        sys.exit(f"{name}: found nothing to look at")
    print(f"{name}: {looked_at} files, no problem")
