import Foundation
import Statistics

/// A table in Markdown.
struct FidelityTable {
  private var lines: [String]

  /// - Parameter columns: heads; numbers stand to the right, the first `words` columns to the left.
  init(_ columns: [String], words: Int = 0) {
    let rules = columns.indices.map { $0 < words ? ":--" : "--:" }
    lines = [Self.line(columns), Self.line(rules)]
  }

  mutating func add(_ cells: [String]) { lines.append(Self.line(cells)) }

  var text: String { lines.joined(separator: "\n") + "\n" }

  private static func line(_ cells: [String]) -> String {
    "| " + cells.joined(separator: " | ") + " |"
  }
}

/// Numbers as the tables show them.
enum FidelityNumber {
  static func plain(_ value: Double) -> String {
    if value == 0 { return "0" }
    if abs(value) < 1e-9 { return "<1e-9" }
    return String(format: abs(value) >= 1000 ? "%.0f" : "%.3g", value)
  }

  /// With its half width.
  static func estimate(_ interval: Interval, unit: Double = 1) -> String {
    let value = interval.mean / unit
    guard value != 0 else { return "0" }
    return plain(value) + " ± " + width(interval.halfWidth / unit)
  }

  /// In percent.
  static func error(_ interval: Interval?) -> String {
    guard let interval else { return "–" }
    let digits = interval.halfWidth < 10 ? 2 : 0
    return String(format: "%+.\(digits)f ± %.\(digits)f", interval.mean, interval.halfWidth)
  }

  static func time(_ seconds: Double) -> String {
    if seconds >= 1 { return plain(seconds) + " s" }
    return seconds >= 1e-3 ? plain(seconds * 1e3) + " ms" : plain(seconds * 1e6) + " µs"
  }

  private static func width(_ value: Double) -> String {
    value == 0 ? "0" : String(format: value < 9.5 ? "%.1g" : "%.0f", value)
  }
}
