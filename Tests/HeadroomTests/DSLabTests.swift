import Foundation
import Primitives
import ResultStore
import Testing

/// Exact cases from the unit tests of DSLab FaaS, to 2 ns an event.
@Suite struct DSLabTests {
  static let scenarios = [
    "keep-alive hit and expiry": "dslab-keep-alive",
    "processor sharing, equal shares": "dslab-equal-shares",
    "processor sharing, unequal shares": "dslab-unequal-shares",
  ]

  /// What the file allows for an event.
  private static let tolerance = 2e-9

  private struct Case {
    var fields: [String: Any]
    var results: ReferenceResults

    init(_ name: String) throws {
      let file = try Reference.json("dslab_exact")
      try #require(
        file["tolerance"] as? String == "2e-9 s per event where time is kept in integer nanoseconds"
      )
      let cases = try #require(file["cases"] as? [[String: Any]])
      #expect(Set(cases.compactMap { $0["name"] as? String }) == Set(scenarios.keys))
      fields = try #require(cases.first { $0["name"] as? String == name })
      results = try Reference.run(try #require(scenarios[name]))
    }

    func number(_ key: String) throws -> Double { try #require(fields[key] as? Double, "\(key)") }
  }

  private static func seconds(_ time: Nanoseconds?) throws -> Double {
    try #require(time).seconds
  }

  /// Sum of a time over all requests, in seconds.
  private static func sum(_ row: HistogramRow) throws -> Double {
    try #require(row.meanNs) * 1e-9 * Double(row.count)
  }

  @Test func keepAliveHitAndExpiry() throws {
    let one = try Case("keep-alive hit and expiry")
    let results = one.results
    let arrivals = try #require(one.fields["arrivals"] as? [[Any]])
    let durations = try arrivals.map { try #require($0[2] as? Double) }.reduce(0, +)
    let count = try one.number("invocations")
    #expect(try results.values("cold_starts") == [try one.number("cold_starts")])
    #expect(try results.values("completed") == [count])
    let starts = try results.times("start_latency")[0]
    let startSum = try Self.sum(starts)
    #expect(
      abs(startSum / Double(starts.count) - (try one.number("cold_start_latency_mean_s")))
        <= Self.tolerance)
    let total = try Self.sum(try results.times("latency")[0]) - durations
    #expect(
      abs(total / count - (try one.number("total_slowdown_mean_s"))) <= Self.tolerance, "\(total)")
    #expect(
      abs((total - startSum) / count - (try one.number("execution_slowdown_mean_s")))
        <= Self.tolerance)
    // Every container has one unit of memory. Its idle time has two events in each of three spells.
    let functions = try #require(one.fields["functions"] as? [String: [String: Double]])
    #expect(functions.values.allSatisfy { $0["memory"] == 1 })
    let idle = try results.values("idle_instance_seconds")[0]
    #expect(abs(idle - (try one.number("idle_memory_seconds"))) <= 6 * Self.tolerance, "\(idle)")
  }

  @Test func equalShares() throws { try finishes(Case("processor sharing, equal shares")) }

  @Test func unequalShares() throws {
    let one = try Case("processor sharing, unequal shares")
    try finishes(one)
    let services = try one.results.services()
    var absolute = 0.0
    var relative = 0.0
    for (service, work) in zip(services, try invocations(one)) {
      // All of a kind end at once, so that their longest is their mean.
      let slowdown = try Self.seconds(service.latencyMax) - work.duration
      absolute += slowdown * Double(service.completed)
      relative += slowdown / work.duration * Double(service.completed)
    }
    let count = Double(services.reduce(0) { $0 + $1.completed })
    #expect(
      abs(absolute / count - (try one.number("mean_absolute_slowdown_s"))) <= Self.tolerance)
    #expect(abs(relative / count - (try one.number("mean_relative_slowdown"))) <= Self.tolerance)
  }

  private func invocations(_ one: Case) throws -> [(count: Int, duration: Double)] {
    try #require(one.fields["invocations"] as? [[String: Double]]).map {
      (Int(try #require($0["count"])), try #require($0["duration_s"]))
    }
  }

  /// Invocations start at 0, so that their latency is when they finish; a kind is a service.
  private func finishes(_ one: Case) throws {
    let expected = try #require(one.fields["finish_s"] as? [Double])
    let services = try one.results.services()
    let invocations = try invocations(one)
    #expect(services.count == expected.count && invocations.count == expected.count)
    for (service, finish) in zip(services, expected) {
      #expect(abs(try Self.seconds(service.latencyMax) - finish) <= Self.tolerance)
      #expect(abs(try Self.seconds(service.latencyMean) - finish) <= Self.tolerance)
    }
    #expect(services.map(\.completed) == invocations.map(\.count))
    let times = try one.results.times("latency")[0]
    #expect(abs(try Self.seconds(times.min) - (expected.min() ?? 0)) <= Self.tolerance)
    #expect(abs(try Self.seconds(times.max) - (expected.max() ?? 0)) <= Self.tolerance)
  }
}
