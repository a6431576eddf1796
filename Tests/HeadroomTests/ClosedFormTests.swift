import Foundation
import Testing

/// Every closed form but the rendezvous property and the factor of a zone's loss.
@Suite(.serialized) struct ClosedFormTests {
  static func cases(_ name: String) throws -> [[Double]] {
    let group = try #require(try Reference.json("closed_forms")[name] as? [String: Any])
    return try #require(group["cases"] as? [[Double]])
  }

  static func erlangB(_ row: [Double]) -> String { "erlang-b-\(Int(row[0]))-\(Int(row[1]))" }
  static func erlangC(_ row: [Double]) -> String { "erlang-c-\(Int(row[1]))" }
  static func pool(_ rule: String, _ row: [Double]) -> String {
    "pool-\(rule)-\(Int(row[0]))-\(Int(row[1]))"
  }
  static func keepAlive(_ product: Double) -> String {
    let name = product == product.rounded() ? "\(Int(product))" : "\(product)"
    return "sparse-keep-alive-\(name.replacingOccurrences(of: ".", with: "-"))"
  }

  @Test func erlangB() throws {
    for row in try Self.cases("erlang_b") {
      let results = try Reference.run(Self.erlangB(row))
      Reference.expect(
        try results.ratio("refused", "arrivals"), row[2], "Erlang B \(row[0]) on \(row[1])")
    }
  }

  @Test func erlangC() throws {
    for row in try Self.cases("erlang_c") {
      let results = try Reference.run(Self.erlangC(row))
      Reference.expect(
        try results.ratio("waited", "arrivals"), row[2], "P(wait) on \(row[1])")
      // The mean wait is in service times, which have a mean of 1 s. Waits come in long runs, so
      // that theirs is the widest band.
      Reference.expect(
        try results.meanTimes("wait"), row[3], band: 0.1 * row[3], "mean wait on \(row[1])")
    }
  }

  @Test func sparseKeepAlive() throws {
    let group = try #require(
      try Reference.json("closed_forms")["sparse_keep_alive"] as? [String: Any])
    let products = try #require(group["lambda_T"] as? [Double])
    let shares = try #require(group["p_cold"] as? [Double])
    #expect(products.count == shares.count)
    for (product, share) in zip(products, shares) {
      let results = try Reference.run(Self.keepAlive(product))
      Reference.expect(
        try results.ratio("cold_starts", "arrivals"), share, "cold share at \(product)")
      Reference.expect(
        try results.values("idle_instances_mean"), 1 - share, "idle instances at \(product)")
    }
  }

  /// What four standard errors of miss shares must be less than. Misses come together, and each
  /// request is a cold start that goes through the whole control path: a twentieth of the share
  /// would take an hour.
  private static let bands = [
    "pool-lost-10-15": 0.004, "pool-lost-100-100": 0.006, "pool-lost-100-110": 0.004,
    "pool-backorder-10-15": 0.011, "pool-backorder-10-20": 0.0008,
    "pool-backorder-100-110": 0.02, "pool-backorder-100-120": 0.008,
    "pool-backorder-100-130": 0.0012,
  ]

  @Test(arguments: ["lost", "backorder"])
  func warmPool(rule: String) throws {
    for row in try Self.cases("warm_pool_\(rule)") {
      let results = try Reference.run(Self.pool(rule, row))
      Reference.expect(
        try results.missShares(), row[2], band: Self.bands[Self.pool(rule, row)],
        "\(rule), load \(row[0]), pool \(row[1])")
    }
  }
}
