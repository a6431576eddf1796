import Foundation
import Testing

/// Two choices at n servers: the mean time in system lies above that of infinitely many, by less
/// with more servers.
@Suite struct PowerOfTwoTests {
  static let sizes = [100, 1000, 10_000]

  static func scenario(_ n: Int) -> String { "power-of-two-\(n)" }

  /// What the file says in words, as numbers.
  private struct Rule {
    var load: Double
    var choices: Double
    /// By number of servers, how much longer than the limit.
    var excess: [Int: Double]
    /// From how many servers on the limit is met, and how nearly.
    var enough: Int
    var tolerance: Double

    init() throws {
      let group = try #require(
        try Reference.json("closed_forms")["power_of_d"] as? [String: Any])
      let text = try #require(group["rule"] as? String)
      #expect(text.contains("fraction with at least k jobs = lambda^((d^k - 1)/(d - 1))"))
      let pattern =
        #/at n = (\d+), lambda = ([\d.]+), d = (\d+) the mean time in system is ([\d.]+) % above, /#
      let found = try #require(try pattern.firstMatch(in: text)).output
      let second = try #require(try #/at n = (\d+) ([\d.]+) %; /#.firstMatch(in: text)).output
      let limit = try #require(
        try #/compare at n >= (\d+) within ([\d.]+) %/#.firstMatch(in: text)
      ).output
      load = try #require(Double(found.2))
      choices = try #require(Double(found.3))
      excess = [
        try #require(Int(found.1)): try #require(Double(found.4)) / 100,
        try #require(Int(second.1)): try #require(Double(second.2)) / 100,
      ]
      enough = try #require(Int(limit.1))
      tolerance = try #require(Double(limit.2)) / 100
    }

    /// Mean time in system at a load, in service times: mean jobs a server over the load.
    func meanTime(_ load: Double) -> Double {
      (1...20).reduce(0.0) { $0 + pow(load, (pow(choices, Double($1)) - 1) / (choices - 1)) } / load
    }

    /// What a run that kept the servers busy by a small share more or less than the load promises
    /// owes to that, as a share of the mean time.
    func effect(of surplus: Double) -> Double {
      let step = 1e-6
      let slope = (meanTime(load * (1 + step)) - meanTime(load * (1 - step))) / (2 * step)
      return slope / meanTime(load) * surplus
    }
  }

  /// How much longer than the limit the mean time in system is, by replication.
  ///
  /// At a load of 0.99 chance makes a run's mean time a tenth longer or shorter by keeping its
  /// servers a little busier or less busy. The busy share is known to be the load on average, so
  /// what it was above that, times the limit's slope, is taken off (a control variate: it changes
  /// no expectation).
  private func excess(_ results: ReferenceResults, _ n: Int, _ rule: Rule) throws -> [Double] {
    // Service times have a mean of 1 s.
    try zip(results.meanTimes("latency"), results.busyCores()).map { time, busy in
      time / rule.meanTime(rule.load) - 1 - rule.effect(of: busy / (rule.load * Double(n)) - 1)
    }
  }

  @Test func excessOverTheLimitFallsWithTheServers() throws {
    let rule = try Rule()
    #expect(Set(rule.excess.keys).union([rule.enough]) == Set(Self.sizes))
    var all: [(mean: Double, error: Double)] = []
    for n in Self.sizes {
      let results = try Reference.run(Self.scenario(n))
      #expect(results.runs.count >= 8)
      let (mean, error) = Reference.meanAndError(try excess(results, n, rule))
      let words: Comment = "n = \(n): \(mean) ± \(error) above the limit"
      if let expected = rule.excess[n] {
        // Half a unit of the last digit of 10 % and of 0.6 %, which have an error of their own.
        let half = expected >= 0.1 ? 0.005 : 0.0005
        #expect(abs(mean - expected) <= half + 4 * error, words)
        #expect(4 * error < (expected >= 0.1 ? 0.03 : 0.006), words)
      } else {
        #expect(abs(mean) + 4 * error <= rule.tolerance, words)
      }
      all.append((mean, error))
    }
    for (fewer, more) in zip(all, all.dropFirst()) {
      let error = (fewer.error * fewer.error + more.error * more.error).squareRoot()
      #expect(fewer.mean - more.mean > 4 * error, "\(all)")
    }
  }
}
