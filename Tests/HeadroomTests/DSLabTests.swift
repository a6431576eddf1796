import Foundation
import Testing

/// Exact cases from the unit tests of DSLab FaaS, to 2 ns an event.
@Suite struct DSLabTests {
  @Test func keepAliveHitAndExpiry() throws {
    let results = try Reference.run("dslab-keep-alive")
    #expect(try results.values("cold_starts") == [2])
    #expect(try results.values("completed") == [3])
    let idle = try results.values("idle_instance_seconds")[0]
    #expect(abs(idle - 2.999999999) <= 8e-9, "\(idle)")
    // Latencies: 3 s each of the two that start together, 1 s of the third, over durations of 1 s.
    let latencies = results.outcomes[0].collected.totals.map { $0[0] }
    let sum = latencies.reduce(0) { $0 + $1.mean * Double($1.count) } * 1e-9
    #expect(abs((sum - 3) / 3 - 1.3333333333333333) <= 2e-9, "\(sum)")
    let starts = results.outcomes[0].collected.totals.map { $0[1] }
    let startMean =
      starts.reduce(0) { $0 + $1.mean * Double($1.count) } * 1e-9
      / Double(starts.reduce(0) { $0 + $1.count })
    #expect(abs(startMean - 1) <= 2e-9)
  }

  @Test func equalShares() throws {
    let results = try Reference.run("dslab-equal-shares")
    let histogram = results.outcomes[0].collected.totals[0][0]
    #expect(histogram.count == 10)
    #expect(abs(Double(histogram.minimum) - 2.5e9) <= 2)
    #expect(abs(Double(histogram.maximum) - 2.5e9) <= 2)
  }

  @Test func unequalShares() throws {
    let results = try Reference.run("dslab-unequal-shares")
    let services = results.outcomes[0].collected.services.map { $0[0] }
    #expect(services.map(\.count) == [5, 5])
    #expect(abs(Double(services[0].minimum) - 3_571_428_571.4) <= 2)
    #expect(abs(Double(services[0].maximum) - 3_571_428_571.4) <= 2)
    #expect(abs(Double(services[1].minimum) - 5_714_285_714.3) <= 2)
    #expect(abs(Double(services[1].maximum) - 5_714_285_714.3) <= 2)
  }
}
