import Planning
import Platform
import Primitives
import Scenario
import Testing

@testable import Simulation

/// Objectives judge what they say, and nothing else.
@Suite struct ObjectiveJudgeTests {
  private func judge(
    _ objectives: [Objective], _ text: String = SmallCluster.text, _ overrides: [String] = []
  ) throws -> [JudgedObjective] {
    var document = try SmallCluster.document(text, overrides)
    document.objectives = objectives
    return ObjectiveVerdicts.judge(document, [try SmallCluster.run(document)])
  }

  /// Every key of a scope counts beside a service: where the two exclude each other there is no
  /// sample, and nothing is met.
  @Test func scopesNarrowServicesDown() throws {
    let scopes = [
      ["service": "py", "zone": "zone-c"], ["service": "py", "runtime": "go"],
      ["service": "py", "class": "online"],
    ]
    var objectives = try scopes.map {
      try SmallCluster.objective(.quantile(0.99), .latency, in: $0, .less, 100)
    }
    objectives += try scopes.map {
      try SmallCluster.objective(.total, .requests, in: $0, .less, 1e9)
    }
    objectives += try scopes.map {
      try SmallCluster.objective(.mean, .latency, in: $0, .less, 100, for: .seconds(10))
    }
    for judged in try judge(objectives) {
      #expect(judged.verdict == .undecided && judged.value == nil, "\(judged)")
      #expect(judged.note.contains("no sample"))
    }
    let some = try judge([
      try SmallCluster.objective(
        .total, .requests, in: ["service": "py", "zone": "zone-a"], .greater, 0),
      try SmallCluster.objective(.total, .requests, in: ["service": "py"], .greater, 0),
    ])
    let (one, both) = (try #require(some[0].value), try #require(some[1].value))
    #expect(one > 0.3 * both && one < 0.7 * both)
  }

  /// A service that is the only one of its class is judged as its class is, to the nanosecond.
  @Test func servicesAreJudgedOnFullHistograms() throws {
    let statistics: [Objective.Statistic] = [
      .quantile(0.5), .quantile(0.9), .quantile(0.99), .mean, .maximum,
    ]
    for measure in [Objective.Measure.latency, .startLatency, .wait] {
      let judged = try judge(
        try statistics.flatMap { statistic in
          try [["service": "py"], ["class": "offline"]].map {
            try SmallCluster.objective(statistic, measure, in: $0, .less, 1)
          }
        })
      for pair in 0..<statistics.count {
        let (one, other) = (judged[2 * pair].value, judged[2 * pair + 1].value)
        #expect(one != nil && one == other)
      }
    }
  }

  /// An interval without a row is one without requests: it breaks a floor and keeps a ceiling,
  /// whether idle instances are there to have rows or not.
  @Test(arguments: ["fixed(1s)", "forever"])
  func gapsCount(keepAlive: String) throws {
    let text = SmallCluster.listed("[1s, 101s, 102s, 250s]")
    let judged = try judge(
      [
        try SmallCluster.objective(.total, .requests, .greater, 0, for: .seconds(60)),
        try SmallCluster.objective(.total, .requests, .greater, 0, for: .seconds(150)),
        try SmallCluster.objective(.total, .requests, .less, 1, for: .seconds(12)),
        try SmallCluster.objective(.total, .requests, .less, 1, for: .seconds(10)),
      ], text, ["services.api.keep_alive=\(keepAlive)"])
    #expect(judged.map(\.verdict) == [.missed, .met, .met, .missed])
    #expect(judged[0].value == 0)
    #expect(judged[0].note.contains("broken from 00:00:10 to 00:01:40"))
    #expect(judged[3].value == 2 || judged[3].value == 1)
  }

  /// Levels of pools have one meaning: the pods of all pools of the scope together.
  @Test func poolLevelsAreSums() throws {
    let judged = try judge(
      [
        try SmallCluster.objective(.mean, .poolLevel, .greater, 1.5),
        try SmallCluster.objective(.mean, .poolLevel, .greater, 1.5, for: .seconds(30)),
        try SmallCluster.objective(.mean, .poolLevel, in: ["zone": "zone-a"], .less, 2),
        try SmallCluster.objective(.maximum, .poolLevel, .less, 3),
      ], SmallCluster.listed("[299s]").replacing("start: empty", with: "start: warm"))
    // Two pods until a take in the last second.
    #expect(try #require(judged[0].value) > 1.9)
    #expect(judged[1].value == 2)
    #expect(judged.map(\.verdict) == [.met, .met, .met, .met])
  }

  /// What is judged over a while may be a ratio, a service, a count of pools or any percentile.
  @Test func muchIsKeptIntervalByInterval() throws {
    let below = Objective.Term(statistic: .total, measure: .poolTakes, scope: [:])
    let objectives = [
      try SmallCluster.objective(
        .total, .poolMisses, over: below, .less, 1.01, for: .seconds(30)),
      try SmallCluster.objective(
        .total, .requests, in: ["service": "py"], .greater, 5, for: .seconds(30)),
      try SmallCluster.objective(
        .quantile(0.9), .latency, in: ["service": "go-online"], .less, 0.5, for: .seconds(30)),
      try SmallCluster.objective(.quantile(0.75), .wait, .less, 100, for: .seconds(20)),
      try SmallCluster.objective(.quantile(0.99), .startLatency, .less, 100, for: .seconds(20)),
      try SmallCluster.objective(
        .mean, .readyPods, in: ["service": "go-online"], .less, 1, for: .seconds(30)),
    ]
    let judged = try judge(objectives)
    #expect(judged.map(\.verdict) == [.met, .met, .missed, .met, .met, .missed])
    #expect(try #require(judged[1].value) > 5)
    #expect(try #require(judged[2].value) > 0.5)
    #expect(judged[2].note.contains("broken from 00:01:00 to 00:10:00"))
  }

  /// A zone without processors has no utilisation: nobody knows.
  @Test func notANumberIsUndecided() throws {
    var document = try SmallCluster.document()
    document.objectives = [
      try SmallCluster.objective(.mean, .utilisation, in: ["zone": "zone-a"], .less, 0.6),
      try SmallCluster.objective(
        .total, .refused,
        over: .init(statistic: .total, measure: .failed, scope: ["zone": "zone-c"]), .less, 1),
    ]
    document.cluster.zones[0].cpuMilli = 0
    let judged = ObjectiveVerdicts.judge(document, [try SmallCluster.run(document)])
    for objective in judged {
      #expect(objective.verdict == .undecided && objective.value == nil)
      #expect(!objective.note.isEmpty)
    }
    let nan = ObjectiveVerdicts.judge(document.objectives[0], [.nan])
    #expect(nan.verdict == .undecided && nan.value == nil)
  }

  /// Times and counts are never negative, and neither are their intervals.
  @Test func intervalsEndAtZero() throws {
    let objective = try SmallCluster.objective(.quantile(0.99), .latency, .less, 10)
    let judged = ObjectiveVerdicts.judge(objective, [0, 0, 0, 4])
    #expect(judged.interval?.low == 0)
    #expect(try #require(judged.interval?.high) > 4)
    let floor = try SmallCluster.objective(.quantile(0.99), .latency, .greaterOrEqual, 0)
    #expect(ObjectiveVerdicts.judge(floor, [0, 0, 0, 4]).verdict == .met)
  }

  /// Requests that time out have failed; refused ones have not, and are counted beside them.
  @Test func failedAndRefusedAreTwo() throws {
    let overrides = [
      "services.go-online.instances.max=3", "services.go-online.arrivals.total_rate=50/s",
      "cluster.gateways.request_timeout=2s", "cluster.gateways.queue_limit=20",
    ]
    let document = try SmallCluster.document(
      SmallCluster.text, overrides, objectives: ["failed > 0", "refused > 0", "requests > 0"])
    let outcome = try SmallCluster.run(document)
    let values = ObjectiveVerdicts.judge(document, [outcome]).map { $0.value ?? 0 }
    #expect(values[0] > 100 && values[1] > 100)
    let tables = RunTables(outcome: outcome, run: 1, document: document)
    #expect(Double(tables.services().reduce(0) { $0 + $1.failed }) == values[0])
    #expect(Double(tables.services().reduce(0) { $0 + $1.refused }) == values[1])
    let series = tables.series().filter { $0.time >= .seconds(60) }
    #expect(Double(series.reduce(0) { $0 + $1.failed }) == values[0])
  }
}

/// The worst value that lasted.
@Suite struct SustainedTests {
  private func series(_ values: [Double?]) -> [IntervalValue] {
    values.enumerated().map {
      IntervalValue(from: .seconds(Int64($0) * 10), to: .seconds(Int64($0) * 10 + 10), value: $1)
    }
  }

  @Test func theWorstBreaksExactlyWhatWasBroken() {
    let values: [Double?] = [1, 5, 7, 6, nil, 9, 2, 8, 8]
    for comparison in Objective.Comparison.allCases {
      for duration in 1...5 {
        let sustained = Sustained(series(values), for: .seconds(Int64(duration) * 10), comparison)
        for limit in 0...10 {
          let isBroken = sustained.worst.map { !comparison.holds($0, Double(limit)) } ?? false
          // Counted by hand: so many intervals in a row that break the limit.
          var longest = 0
          var run = 0
          for value in values {
            run = value.map { comparison.holds($0, Double(limit)) ? 0 : run + 1 } ?? 0
            longest = max(longest, run)
          }
          #expect(isBroken == (longest >= duration), "\(comparison) \(limit) for \(duration)")
          #expect((sustained.firstBreak(of: Double(limit)) != nil) == (longest >= duration))
        }
      }
    }
    let twenty = Sustained(series(values), for: .seconds(20), .less)
    #expect(twenty.worst == 8)
    #expect(twenty.firstBreak(of: 5) == .seconds(10)..<Instant.seconds(40))
    #expect(Sustained(series(values), for: .seconds(50), .less).worst == nil)
  }
}
