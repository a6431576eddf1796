"""Refills comment paragraphs that hold a line above 100 columns; the formatter leaves those."""

import re
import sys
import textwrap
from pathlib import Path

WIDTH = 100
_COMMENT = re.compile(r"^(\s*)(///?)( ?)(.*)$")
# Lines that start something of their own: lists, headings, fences, tables, pictures.
_OWN_LINE = re.compile(r"^(\s{2,}|[-*+] |\d+\. |#|```|\||>)")


def wrapped(text: str) -> str:
    out: list[str] = []
    paragraph: list[str] = []
    prefix = ""

    def flush() -> None:
        if any(len(line) > WIDTH for line in paragraph):
            body = " ".join(line[len(prefix):].strip() for line in paragraph)
            hang = "  " if _OWN_LINE.match(body) else ""
            out.extend(textwrap.wrap(
                body, WIDTH, initial_indent=prefix, subsequent_indent=prefix + hang,
                break_long_words=False, break_on_hyphens=False))
        else:
            out.extend(paragraph)
        paragraph.clear()

    in_fence = False
    for line in text.split("\n"):
        match = _COMMENT.match(line)
        body = match.group(4) if match else ""
        here = f"{match.group(1)}{match.group(2)} " if match else ""
        fence = body.startswith("```")
        if not match or not body.strip() or fence or in_fence or here != prefix:
            flush()
        in_fence = in_fence != fence
        if not match or not body.strip() or fence or in_fence:
            out.append(line)
            prefix = ""
            continue
        if _OWN_LINE.match(body):
            # An item starts a paragraph; lines indented by two spaces go on with it.
            if not (paragraph and body.startswith("  ") and _is_item(paragraph[0][len(here):])):
                flush()
        prefix = here
        paragraph.append(line)
    flush()
    return "\n".join(out)


def _is_item(body: str) -> bool:
    return re.match(r"^([-*+] |\d+\. )", body) is not None


def main() -> None:
    for name in sys.argv[1:]:
        path = Path(name)
        text = path.read_text()
        new = wrapped(text)
        if new != text:
            path.write_text(new)
            print(f"rewrapped comments of {path}")


if __name__ == "__main__":
    main()
