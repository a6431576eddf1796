import Foundation

/// Numbers and small charts as text for a terminal.
public enum TextForm {
  /// A time with a unit that fits it, three digits: `1.24 ms`.
  public static func time(seconds: Double) -> String {
    seconds == 0 ? "0" : told(seconds, in: unit(of: seconds))
  }

  /// Times that are compared, all in one unit: that of the longest, but none that is longer than
  /// the shortest of them, down to seconds.
  public static func times(seconds: [Double]) -> [String] {
    let lengths = seconds.map(abs).filter { $0 > 0 && $0.isFinite }
    guard let longest = lengths.max(), let shortest = lengths.min() else {
      return seconds.map { time(seconds: $0) }
    }
    var unit = unit(of: longest)
    while unit < second, units[unit].seconds > shortest { unit += 1 }
    return seconds.map { $0 == 0 ? "0" : told($0, in: unit) }
  }

  /// The longest first, each from where on it is used.
  private static let units: [(name: String, seconds: Double, from: Double)] = [
    ("h", 3600, 36_000), ("min", 60, 600), ("s", 1, 1), ("ms", 1e-3, 1e-3), ("us", 1e-6, 1e-6),
    ("ns", 1e-9, 0),
  ]
  private static let second = 2

  private static func unit(of seconds: Double) -> Int {
    units.firstIndex { abs(seconds) >= $0.from } ?? 0
  }

  private static func told(_ seconds: Double, in unit: Int) -> String {
    // Multiples are exact where quotients are not.
    let (name, length, _) = units[unit]
    return number(length < 1 ? seconds * (1 / length).rounded() : seconds / length) + " " + name
  }

  /// Three significant digits without an exponent, more for whole numbers and from a thousand on.
  public static func number(_ value: Double) -> String {
    // A ratio without a sample, as of a trace without an invocation.
    if value.isNaN { return "-" }
    if value.isInfinite { return "\(value)" }
    if value == value.rounded() || abs(value) >= 1000, abs(value) < 1e15 {
      return grouped(Int(value.rounded()))
    }
    // Of a share that is nearly all, what it lacks is what matters.
    let part = (0.9..<1).contains(value) ? 1 - value : value
    let digits = max(0, 2 - Int(floor(log10(max(abs(part), 1e-12)))))
    return String(format: "%.\(min(digits, 12))f", value)
  }

  /// 1234567 as `1 234 567`.
  public static func grouped(_ value: Int) -> String {
    var digits = String(abs(value))
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    groups.insert(digits, at: 0)
    return (value < 0 ? "-" : "") + groups.joined(separator: " ")
  }

  public static func percent(_ share: Double) -> String { number(share * 100) + " %" }

  /// A value with its interval: `0.217 [0.215, 0.219]`.
  public static func interval(_ value: Double, _ bounds: (Double, Double)?) -> String {
    guard let bounds else { return number(value) }
    return "\(number(value)) [\(number(bounds.0)), \(number(bounds.1))]"
  }

  private static let blocks = Array("▁▂▃▄▅▆▇█")

  /// Values as bars between 0 and `top` (their maximum where nil), at most `width` of them.
  public static func sparkline(_ values: [Double], width: Int = 48, top: Double? = nil) -> String {
    guard !values.isEmpty else { return "" }
    let columns = min(width, values.count)
    let means = (0..<columns).map { column in
      let slice = values[
        (column * values.count / columns)..<((column + 1) * values.count / columns)]
      return slice.reduce(0, +) / Double(slice.count)
    }
    let highest = top ?? means.filter(\.isFinite).max() ?? 0
    return String(
      means.map { value in
        guard highest > 0, value.isFinite else { return blocks[0] }
        return blocks[Int(min(1, max(0, value / highest)) * 7.999)]
      })
  }

  /// Words in lines of a width at most, each after an indent; a longer word has a line of its own.
  public static func wrapped(_ text: String, width: Int, indent: String = "") -> String {
    var lines: [String] = []
    for word in text.split(whereSeparator: \.isWhitespace) {
      if let last = lines.last, last.count + 1 + word.count <= width {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(indent + word)
      }
    }
    return lines.joined(separator: "\n")
  }

  /// Columns padded to the same width: the first `left` of them to the left, the others to the
  /// right. A last column with `notes` is not padded.
  public static func table(_ rows: [[String]], left: Int = 1, notes: Bool = false) -> String {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = row.enumerated().map { column, cell in
        if notes, column == count - 1 { return cell }
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return column < left ? cell + padding : padding + cell
      }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }
}
