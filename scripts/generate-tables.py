#!/usr/bin/env python3
"""Writes the tables of literals in Sources/Primitives/Elementary and Random, and the reference bit
patterns of their tests, with mpmath. Run it from the project's root; its output is committed.

  scripts/generate-tables.py        needs python3 with mpmath; the same output every time
"""

import math
import struct

from mpmath import mp, mpf

mp.prec = 400
ELEMENTARY = "Sources/Primitives/Elementary"
RANDOM = "Sources/Primitives/Random"
TESTS = "Tests/PrimitivesTests"
NOTE = "// Written by scripts/generate-tables.py; do not edit.\n\n"


def bits(x):
    """The bit pattern of a double as an integer."""
    return struct.unpack("<Q", struct.pack("<d", x))[0]


def double(pattern):
    return struct.unpack("<d", struct.pack("<Q", pattern))[0]


def grouped(word):
    text = f"{word:016X}"
    return "0x" + "_".join(text[i : i + 4] for i in range(0, 16, 4))


def literal(x):
    """An exact literal: Swift reads a hexadecimal float as C does."""
    return float(x).hex().replace("0x1.0000000000000p", "0x1p").replace("0x0.0p+0", "0")


def array(name, comment, values, element, per_line=3):
    lines = [f"  /// {c}" for c in comment]
    lines.append(f"  static let {name}: InlineArray<{len(values)}, {element}> = [")
    for i in range(0, len(values), per_line):
        lines.append("    " + ", ".join(values[i : i + per_line]) + ",")
    lines.append("  ]")
    return "\n".join(lines) + "\n"


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def truncated(x, unit):
    """The multiple of 2^unit nearest to x."""
    return float(mp.nint(x * mpf(2) ** -unit) * mpf(2) ** unit)


def exp_table():
    rows = []
    for i in range(128):
        exact = mpf(2) ** (mpf(i) / 128)
        head = float(exact)
        rows += [literal(head), literal(float(exact / mpf(head) - 1))]
    text = NOTE + "enum ExpTable {\n"
    text += array(
        "entries",
        [
            "For i = 0 ..< 128: 2^(i/128) rounded to a double, and the relative difference of the exact",
            "value from it.",
        ],
        rows,
        "Double",
        2,
    )
    write(f"{ELEMENTARY}/ExpTable.swift", text + "}\n")


LOG_OFFSET = 0x3FE6_0000_0000_0000  # 0.6875: the intervals cover [0.6875, 1.375)


def log_table():
    rows = []
    for i in range(128):
        low = double(LOG_OFFSET + (i << 45))
        high = double(LOG_OFFSET + ((i + 1) << 45))
        if high == 1.0 or low == 1.0:
            inverse = 1.0  # so that the logarithm of numbers near 1 keeps all its digits
        else:
            inverse = truncated(2 / (mpf(low) + mpf(high)), -10)
        exact = -mp.log(mpf(inverse))
        head = truncated(exact, -42)
        rows += [literal(inverse), literal(head), literal(float(exact - mpf(head)))]
    text = NOTE + "enum LogTable {\n"
    text += array(
        "entries",
        [
            "For each of 128 intervals of [0.6875, 1.375): a number c of at most 11 bits near the inverse of",
            "its middle, −log c as a multiple of 2⁻⁴², and the rest of −log c.",
        ],
        rows,
        "Double",
        3,
    )
    write(f"{ELEMENTARY}/LogTable.swift", text + "}\n")


def constants():
    ln2 = mp.log(2)
    high = truncated(ln2, -42)
    per = ln2 / 128
    per_high = truncated(per, -42)  # 35 bits: a product with an integer below 2^18 is exact
    half_pi = mp.pi / 2
    parts, rest = [], half_pi
    for _ in range(3):
        unit = math.floor(mp.log(rest, 2)) - 32
        part = float(mp.floor(rest * mpf(2) ** -unit) * mpf(2) ** unit)
        parts.append(part)
        rest -= mpf(part)
    parts.append(float(rest))
    rows = [
        ("ln2High", "log 2 as a multiple of 2⁻⁴², and the rest.", high),
        ("ln2Low", None, float(ln2 - mpf(high))),
        ("ln2Over128High", "(log 2) / 128 as a multiple of 2⁻⁴², and the rest.", per_high),
        ("ln2Over128Low", None, float(per - mpf(per_high))),
        ("inverseLn2Times128", "128 / log 2.", float(1 / per)),
        ("twoOverPi", "2 / π.", float(2 / mp.pi)),
        ("halfPi1", "π / 2 in four parts; the first three have at most 33 bits.", parts[0]),
        ("halfPi2", None, parts[1]),
        ("halfPi3", None, parts[2]),
        ("halfPi4", None, parts[3]),
        ("halfPiHigh", "π / 2 as the sum of two doubles.", float(half_pi)),
        ("halfPiLow", None, float(half_pi - mpf(float(half_pi)))),
        ("halfLogTwoPi", "log(2π) / 2.", float(mp.log(2 * mp.pi) / 2)),
    ]
    text = NOTE + "enum ElementaryConstants {\n"
    for name, comment, value in rows:
        if comment:
            text += f"  /// {comment}\n"
        text += f"  static let {name}: Double = {literal(value)}\n"
    mp.prec = 1400
    digits = int(mp.floor(mpf(2) ** 1216 * 2 / mp.pi))
    mp.prec = 400
    words = [0] + [(digits >> (64 * (18 - i))) & (2**64 - 1) for i in range(19)]
    text += array(
        "twoOverPiWords",
        ["A word of zeros, then the first 1,216 binary digits of 2 / π behind the point."],
        [grouped(w) for w in words],
        "UInt64",
        4,
    )
    write(f"{ELEMENTARY}/ElementaryConstants.swift", text + "}\n")


def bisect(f, low, high):
    """The root of f, which is positive at low and negative at high."""
    for _ in range(300):
        middle = (low + high) / 2
        if f(middle) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def layers(density, inverse, tail):
    """Widths x of 256 layers of equal area under a decreasing density; x[1] is where the tail begins."""

    def edges(r):
        area = r * density(r) + tail(r)
        xs = [area / density(r), r]
        for _ in range(2, 256):
            y = density(xs[-1]) + area / xs[-1]
            if y >= 1:
                return xs, area, y
            xs.append(inverse(y))
        return xs, area, density(xs[-1]) + area / xs[-1]

    def excess(r):
        xs, _, top = edges(r)
        return (top - 1) + (256 - len(xs))

    mp.prec = 160
    r = bisect(excess, mpf(2), mpf(12))
    xs, _, _ = edges(r)
    mp.prec = 400
    assert len(xs) == 256, len(xs)
    return xs + [mpf(0)]


def ziggurat_tables():
    exponential = layers(lambda x: mp.exp(-x), lambda y: -mp.log(y), lambda r: mp.exp(-r))
    normal = layers(
        lambda x: mp.exp(-x * x / 2),
        lambda y: mp.sqrt(-2 * mp.log(y)),
        lambda r: mp.sqrt(mp.pi / 2) * mp.erfc(r / mp.sqrt(2)),
    )
    text = NOTE + "enum ZigguratTables {\n"
    for name, xs, density, formula in [
        ("exponential", exponential, lambda x: mp.exp(-x), "e^(−x)"),
        ("normal", normal, lambda x: mp.exp(-x * x / 2), "e^(−x²/2)"),
    ]:
        text += array(
            name + "Edges",
            [
                f"Right edges of 256 layers of equal area under {formula}, widest first: the area of the",
                "lowest over its height, the start of the tail, …, 0.",
            ],
            [literal(float(x)) for x in xs],
            "Double",
        )
        text += "\n"
        ys = [mpf(0)] + [density(x) for x in xs[1:-1]] + [mpf(1)]
        text += array(
            name + "Heights",
            [f"{formula} at those edges, 0 for the first."],
            [literal(float(y)) for y in ys],
            "Double",
        )
        text += "\n"
    write(f"{RANDOM}/ZigguratTables.swift", text.rstrip() + "\n}\n")


if __name__ == "__main__":
    exp_table()
    log_table()
    constants()
    ziggurat_tables()
