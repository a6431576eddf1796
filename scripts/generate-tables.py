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
            "For i = 0 ..< 128: 2^(i/128) rounded to a double, and the relative difference of the",
            "exact value from it.",
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
            "For each of 128 intervals of [0.6875, 1.375): a number c of at most 11 bits near the",
            "inverse of its middle, −log c as a multiple of 2⁻⁴², and the rest of −log c.",
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
    """Widths x of 256 layers of equal area under a decreasing density; the tail begins at x[1]."""

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
                f"Right edges of 256 layers of equal area under {formula}, widest first:"
                f" the area of",
                "the lowest over its height, the start of the tail, …, 0.",
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


def points(name):
    """Arguments for the committed reference: every binade in use, the edges, and no randomness."""
    golden = (math.sqrt(5) - 1) / 2
    if name == "cos":
        exponents = range(-28, 41)
    elif name == "exp":
        exponents = range(-55, 10)
    else:
        exponents = range(-64, 65)
    found = []
    place = 0.1
    for exponent in exponents:
        for _ in range(3):
            place = (place + golden) % 1
            x = math.ldexp(1 + place, exponent)
            found.append(-x if name != "log" and len(found) % 2 else x)
    tiny, huge = double(1), double(0x7FEF_FFFF_FFFF_FFFF)
    below, above = double(bits(1.0) - 1), double(bits(1.0) + 1)
    # The fourth is the double nearest to a multiple of π/2.
    far = [tiny, 1048575.9, 1048576.1, 6381956970095103.0 * 2.0**797, 1e22, huge]
    edges = {
        "exp": [tiny, -745.13, -745.13321910194, -744.4, -708.3964185322641, -708.4, 709.78],
        "log": [tiny, 1e-310, double(1 << 52), below, above, 0.6875, 1.375, 1.0078125, huge],
        "cos": far + [1.5707963267948966, 11.0, 33.0],
    }
    return found + edges[name]


def power_points():
    found = []
    place, other = 0.1, 0.3
    for exponent in range(-40, 41):
        for _ in range(2):
            place = (place + (math.sqrt(5) - 1) / 2) % 1
            other = (other + math.sqrt(2)) % 1
            base = math.ldexp(1 + place, exponent)
            found.append((base, (2 * other - 1) * 700 / max(0.01, abs(math.log(base)))))
    return found + [(2.0, -1074.0), (2.0, 1023.0), (10.0, -300.0), (0.5, 1074.0), (-3.0, 5.0)]


def elementary_reference():
    """Correctly rounded results as bit patterns, two points a line where they fit."""
    mp.prec = 1300
    lines = []
    functions = {"exp": mp.exp, "log": mp.log, "cos": mp.cos}
    text = NOTE + "/// Function, arguments and correctly rounded result, as bit patterns.\n"
    text += 'let elementaryReference = """\n'
    for name, function in functions.items():
        for x in points(name):
            lines.append(f"{name} {bits(x):x} {bits(rounded(function(mpf(x)))):x}")
    for x, y in power_points():
        lines.append(f"pow {bits(x):x} {bits(y):x} {bits(rounded(mpf(x) ** mpf(y))):x}")
    short = [line for line in lines if not line.startswith("pow")]
    for i in range(0, len(short), 2):
        text += "  " + "; ".join(short[i : i + 2]) + "\n"
    for line in lines[len(short) :]:
        text += f"  {line}\n"
    mp.prec = 400
    write(f"{TESTS}/ElementaryReference.swift", text + '  """\n')


def rounded(x):
    """The double nearest to x, ties to even, subnormal results included."""
    if x == 0:
        return 0.0
    exponent = max(int(mp.floor(mp.log(abs(x), 2))) - 52, -1074)
    return float(mp.nint(x * mpf(2) ** -exponent) * mpf(2) ** exponent)


def special_reference():
    """Gamma and normal functions to 17 digits, one line a point."""
    text = NOTE + "/// Function, arguments and result, in decimal.\n"
    text += 'let specialReference = """\n'
    mp.prec = 300
    for x in [1e-8, 0.001, 0.1, 0.5, 0.999, 1.0, 1.5, 2.0, 2.5, 3.7, 9.99, 42.5, 1e3, 1e6, 1e12]:
        text += f"  logGamma {x!r} {float(mp.loggamma(mpf(x)))!r}\n"
    for a in [0.05, 0.3, 0.5, 1.0, 1.7, 4.0, 9.9, 10.0, 33.0, 150.0, 1e4]:
        for f in [1e-3, 0.1, 0.5, 0.9, 1.0, 1.1, 1.5, 2.5, 6.0]:
            x = a * f if a < 1000 else a * (1 + (f - 1) / 30)
            p = float(mp.gammainc(mpf(a), 0, mpf(x), regularized=True))
            q = float(mp.gammainc(mpf(a), mpf(x), mp.inf, regularized=True))
            text += f"  gammaP {a!r} {x!r} {p!r}\n  gammaQ {a!r} {x!r} {q!r}\n"
    for z in [-30.0, -8.2, -5.0, -3.0, -1.0, -0.5, -1e-3, 0.0, 0.3, 1.0, 2.5, 6.0]:
        text += f"  normalCDF {z!r} {float(mp.ncdf(mpf(z)))!r}\n"
    shares = [1e-300, 1e-100, 1e-20, 1e-12, 1e-9, 1e-5, 1e-3, 0.02, 0.07, 0.075, 0.1, 0.3]
    for p in shares + [0.5, 0.6, 0.93, 0.999, 1 - 1e-9]:
        z = mp.sqrt(2) * mp.erfinv(2 * mpf(p) - 1) if p > 1e-19 else tail_quantile(p)
        text += f"  normalQuantile {p!r} {float(z)!r}\n"
    mp.prec = 400
    write(f"{TESTS}/SpecialReference.swift", text + '  """\n')


def tail_quantile(p):
    start = -mp.sqrt(-2 * mp.log(mpf(p)))
    return mp.findroot(lambda z: mp.log(mp.ncdf(z)) - mp.log(mpf(p)), start)


if __name__ == "__main__":
    exp_table()
    log_table()
    constants()
    ziggurat_tables()
    elementary_reference()
    special_reference()
