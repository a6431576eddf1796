import Primitives

/// Messages answered ahead of their partition's commit, as a function of how many are in service:
/// points of `FlowState.aheadOfCommit` at half octaves, found when they are first needed, straight
/// between them in logarithms (within half a percent, `FlowRestTests`).
///
/// An integral of a hundred exponentials would otherwise be due for every sample and row.
struct AheadTable: Sendable {
  /// Half octaves from 1/64 to 16,384 messages.
  private static let first = -12
  private static let last = 28
  /// What the points were found for, seconds.
  private var mean = 0.0
  private var logs: [Double] = []

  /// Finds the points beside `x` that are not there.
  ///
  /// - Parameter value: the function itself, for the mean service time that is given.
  mutating func prepare(_ x: Double, mean: Double, _ value: (Double) -> Double) {
    guard let place = Self.place(x) else { return }
    if abs(self.mean - mean) * 256 > mean || logs.isEmpty {
      self.mean = mean
      logs = Array(repeating: .nan, count: Self.last - Self.first + 1)
    }
    for point in place.index...place.index + 1 where logs[point].isNaN {
      let at = Elementary.exp(0.5 * Self.logOfTwo * Double(point + Self.first))
      logs[point] = Elementary.log(max(value(at), 1e-300))
    }
  }

  /// Nil where it has not been prepared.
  func value(_ x: Double, mean: Double) -> Double? {
    guard let place = Self.place(x), !logs.isEmpty, abs(self.mean - mean) * 256 <= mean else {
      return nil
    }
    let (low, high) = (logs[place.index], logs[place.index + 1])
    guard !low.isNaN, !high.isNaN else { return nil }
    return Elementary.exp(low + place.rest * (high - low))
  }

  private static let logOfTwo = 0.693_147_180_559_945_3

  private static func place(_ x: Double) -> (index: Int, rest: Double)? {
    guard x > 0 else { return nil }
    let halves = 2 * Elementary.log(x) / logOfTwo - Double(first)
    guard halves >= 0, halves < Double(last - first) else { return nil }
    return (Int(halves), halves - Double(Int(halves)))
  }
}
