import Foundation
import Statistics

/// Which cells keep a bound on an error, by their intervals.
enum FidelityFindings {
  enum Finding { case within, beyond, undecided }

  static func judge(_ interval: Interval, bound: Double) -> Finding {
    if interval.low >= -bound, interval.high <= bound { return .within }
    if interval.low > bound || interval.high < -bound { return .beyond }
    return .undecided
  }

  /// A sentence of Markdown: how many cells keep the bound, and which do not or may not.
  static func line(
    _ what: String, _ rows: [FidelityRow], bound: Double, side: Int = 1,
    _ name: (FidelityRow) -> String, _ value: (FidelityMeasures) -> Double
  ) throws -> String {
    var names: [Finding: [String]] = [:]
    for row in rows {
      guard let error = try row.error(side, value) else { continue }
      names[judge(error, bound: bound), default: []].append(
        name(row) + " (\(FidelityNumber.error(error)))")
    }
    func list(_ finding: Finding) -> String {
      let found = names[finding] ?? []
      return found.isEmpty ? "none" : "\(found.count): " + found.joined(separator: ", ")
    }
    let within = names[.within]?.count ?? 0
    let all = names.values.reduce(0) { $0 + $1.count }
    return "- \(what) within \(FidelityNumber.plain(bound)) %: \(within) of \(all) cells. "
      + "Beyond it \(list(.beyond)). Undecided, with an interval across the bound "
      + "\(list(.undecided))."
  }
}
