import Primitives

/// A length of time as text, to the nanosecond: `1.25 ms`.
public enum ExactTime {
  public static func text(_ time: Nanoseconds) -> String {
    let magnitude = time.count.magnitude
    let (digits, unit) =
      switch magnitude {
      case 0: (0, "s")
      case ..<1_000: (0, "ns")
      case ..<1_000_000: (3, "us")
      case ..<1_000_000_000: (6, "ms")
      default: (9, "s")
      }
    return (time.count < 0 ? "-" : "") + decimal(magnitude, digits: digits) + " " + unit
  }

  /// An instant of a run as windows are written, to the nanosecond: `19h8m31.002924538s`.
  public static func place(_ instant: Instant) -> String {
    let count = instant.nanoseconds
    let minutes = count / 60_000_000_000
    guard minutes > 0 else { return decimal(count.magnitude, digits: 9) + "s" }
    let rest = count % 60_000_000_000
    return (minutes >= 60 ? "\(minutes / 60)h" : "") + (minutes % 60 > 0 ? "\(minutes % 60)m" : "")
      + (rest > 0 ? decimal(rest.magnitude, digits: 9) + "s" : "")
  }

  /// Microseconds with three digits after the point: the unit of trace files.
  static func microseconds(_ instant: Instant) -> String {
    let count = instant.nanoseconds.magnitude
    let rest = String(count % 1000)
    return "\(count / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
  }

  /// A whole number of the last of so many decimal places, without zeros at the end.
  private static func decimal(_ value: UInt64, digits: Int) -> String {
    guard digits > 0 else { return String(value) }
    var scale: UInt64 = 1
    for _ in 0..<digits { scale *= 10 }
    var rest = String(value % scale)
    rest = String(repeating: "0", count: digits - rest.count) + rest
    while rest.last == "0" { rest.removeLast() }
    return String(value / scale) + (rest.isEmpty ? "" : "." + rest)
  }
}
