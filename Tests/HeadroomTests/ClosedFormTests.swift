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
}
