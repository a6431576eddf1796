import Primitives
import Scenario
import Testing

@testable import Planning
@testable import Simulation

/// By which margin objectives are met or missed, against numbers worked out by hand.
@Suite struct ObjectiveMarginTests {
  private static func judged(
    _ text: String, _ value: Double?, longestBreak: Nanoseconds? = nil
  ) throws -> JudgedObjective {
    let scenario = SmallCluster.text + "\nobjectives: [\"\(text)\"]\n"
    let result = ScenarioReader().read(scenario, file: "small.yaml", overrides: [])
    let objective = try #require(result.document?.objectives.first, "\(result.rendered)")
    var judged = ObjectiveVerdicts.judge(objective, [value])
    judged.longestBreak = longestBreak
    return judged
  }

  @Test(
    arguments: [
      // Twice as long may a p99 of half the limit become; four times as much may be missing.
      ("p99(latency) < 400ms", 0.2, 2.0), ("p99(latency) < 400ms", 0.8, 0.5),
      ("completed / requests > 98%", 0.995, 4.0), ("completed / requests > 98%", 0.96, 0.5),
      ("failed / requests < 1%", 0.002, 5.0), ("completed > 100", 300, 3.0),
    ] as [(String, Double, Double)])
  func factorsToTheLimit(text: String, value: Double, margin: Double) throws {
    let found = try #require(try Self.judged(text, value).margin)
    #expect(abs(found / margin - 1) < 1e-9, "\(text): \(found)")
  }

  @Test func whereNoFactorLeads() throws {
    #expect(try Self.judged("failed / requests < 1%", 0).margin == nil)
    #expect(try Self.judged("completed / requests > 98%", 1).margin == nil)
    #expect(try Self.judged("completed / requests > 98%", 1.00002).margin == nil)
    #expect(try Self.judged("p99(latency) < 400ms", nil).margin == nil)
  }

  /// With `for` it is the time that decides: four of ten minutes leave two and a half times as
  /// long. Where nothing was broken it is the worst level that lasted.
  @Test func timeDecidesWithFor() throws {
    let text = "lag < 20k for 5m"
    func margin(_ value: Double?, _ seconds: Int64) throws -> Double? {
      try Self.judged(text, value, longestBreak: .seconds(seconds)).margin
    }
    #expect(try margin(5000, 120) == 2.5 && margin(40_000, 600) == 0.5)
    #expect(try margin(5000, 0) == 4 && margin(nil, 120) == 2.5 && margin(nil, 0) == nil)
  }

  /// The longest break is the longest run of intervals that break the limit.
  @Test func theLongestBreak() {
    let values: [Double?] = [1, 9, 9, nil, 9, 9, 9, 1, 9]
    let series = values.enumerated().map { index, value in
      IntervalValue(
        from: .seconds(Int64(10 * index)), to: .seconds(Int64(10 * index + 10)), value: value)
    }
    let sustained = Sustained(series, for: .seconds(30), .less)
    #expect(sustained.longestBreak(of: 5) == .seconds(30))
    #expect(sustained.firstBreak(of: 5) == .seconds(40) ..< .seconds(70))
    #expect(sustained.longestBreak(of: 10) == .zero)
    #expect(Sustained(series, for: .seconds(40), .less).firstBreak(of: 5) == nil)
  }
}
