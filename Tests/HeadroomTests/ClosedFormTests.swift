import Foundation
import Testing

/// Every closed form but the rendezvous property and the factor of a zone's loss.
@Suite(.serialized) struct ClosedFormTests {
  private func cases(_ name: String) throws -> [[Double]] {
    let group = try #require(try Reference.json("closed_forms")[name] as? [String: Any])
    return try #require(group["cases"] as? [[Double]])
  }

  @Test func erlangB() throws {
    for row in try cases("erlang_b") {
      let results = try Reference.run("erlang-b-\(Int(row[0]))-\(Int(row[1]))")
      Reference.expect(
        try results.ratio("refused", "arrivals"), row[2], "Erlang B \(row[0]) on \(row[1])")
    }
  }

  @Test func erlangC() throws {
    for row in try cases("erlang_c") {
      let results = try Reference.run("erlang-c-\(Int(row[1]))")
      Reference.expect(
        try results.ratio("waited", "arrivals"), row[2], "P(wait) on \(row[1])")
      let waits = results.outcomes.map { outcome -> Double in
        let waits = outcome.collected.totals[0][2]
        let all = outcome.collected.totals[0][0]
        return waits.mean * 1e-9 * Double(waits.count) / Double(all.count)
      }
      Reference.expect(waits, row[3], "mean wait on \(row[1])")
    }
  }

  @Test func sparseKeepAlive() throws {
    let group = try #require(
      try Reference.json("closed_forms")["sparse_keep_alive"] as? [String: Any])
    let products = try #require(group["lambda_T"] as? [Double])
    let shares = try #require(group["p_cold"] as? [Double])
    for (product, share) in zip(products, shares) {
      let name = product == product.rounded() ? "\(Int(product))" : "\(product)"
      let results = try Reference.run(
        "sparse-keep-alive-\(name.replacingOccurrences(of: ".", with: "-"))")
      Reference.expect(
        try results.ratio("cold_starts", "arrivals"), share, "cold share at \(product)")
      Reference.expect(
        try results.values("idle_instances_mean"), 1 - share, "idle instances at \(product)")
    }
  }

  @Test(arguments: ["lost", "backorder"])
  func warmPool(rule: String) throws {
    for row in try cases("warm_pool_\(rule)") {
      let results = try Reference.run("pool-\(rule)-\(Int(row[0]))-\(Int(row[1]))")
      let shares = results.outcomes.map { outcome -> Double in
        Double(outcome.collected.poolMisses.reduce(0, +))
          / Double(outcome.collected.poolTakes.reduce(0, +))
      }
      Reference.expect(shares, row[2], "\(rule), load \(row[0]), pool \(row[1])")
    }
  }

  /// Mean time in system of the limit is the sum of lambda^(2^i - 2); at finite n it is longer, by
  /// less with more servers.
  @Test func powerOfTwo() throws {
    let lambda = 0.95
    let limit = (1...12).reduce(0.0) { $0 + pow(lambda, pow(2, Double($1)) - 2) }
    var excess: [Double] = []
    for n in [100, 1000, 10_000] {
      let results = try Reference.run("power-of-two-\(n)")
      let means = results.outcomes.map { $0.collected.totals[0][0].mean * 1e-9 }
      let (mean, error) = Reference.meanAndError(means)
      #expect(error < 0.005 * limit, "n = \(n): the test could not fail")
      excess.append(mean / limit - 1)
    }
    #expect(abs(excess[2]) < 0.01, "\(excess)")
    #expect(excess[0] > excess[1] && excess[1] > excess[2] - 0.01, "\(excess)")
    #expect(excess[0] > 0.01, "\(excess)")
  }
}
