import Primitives
import Testing

@testable import Planning

/// Who is behind a twin whose own lag rises and falls.
@Suite struct LagComparisonTests {
  private let ends = (1...60).map { Instant.seconds(Int64($0) * 10) }

  private func behind(_ lags: [Int], twin: [Int], nearby: Int64 = 60) -> [Int] {
    let comparison = LagComparison(
      lags: lags, twin: twin, ends: ends, nearby: .seconds(nearby), most: 10)
    return lags.indices.filter(comparison.isBehind)
  }

  /// Both have 100 messages for a fifth of the time, at other times: nobody is behind.
  @Test func aSawtoothIsNotBehindItself() {
    let twin = ends.indices.map { $0 % 5 == 0 ? 100 : 0 }
    let shifted = ends.indices.map { $0 % 5 == 3 ? 105 : 0 }
    #expect(behind(shifted, twin: twin).isEmpty)
    // But for one whose twin has none for longer than is near.
    #expect(behind(shifted, twin: twin, nearby: 10).count == 12)
  }

  /// A backlog counts as long as it is beyond the saw's teeth, and what is produced in a time.
  @Test func aBacklogIs() {
    let twin = ends.indices.map { $0 % 5 == 0 ? 100 : 0 }
    let backlog = ends.indices.map { $0 < 20 ? 0 : max(0, 500 - 20 * ($0 - 20)) }
    // 500, 480 … 120 are above 110.
    #expect(behind(backlog, twin: twin) == Array(20..<40))
  }

  /// The twin's own rise counts from a minute before it on.
  @Test func whatIsUsualIsNearby() {
    let twin = ends.indices.map { $0 < 30 ? 0 : 200 }
    let faulted = ends.indices.map { _ in 150 }
    #expect(behind(faulted, twin: twin) == Array(0..<24))
  }
}
