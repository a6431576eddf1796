import Foundation
import Testing

/// Against reruns of SimFaaS with 100 to 400 seeds: the same model, no code in common.
@Suite(.serialized) struct SimFaaSTests {
  @Test(arguments: zip(["expiry-10", "expiry-120", "expiry-600", "sparse"], 0...3))
  func coldShareAndServers(name: String, row: Int) throws {
    let rerun = try #require(try Reference.json("simfaas")["rerun"] as? [[String: Any]])
    try compare("simfaas-\(name)", rerun[row], seeds: try #require(rerun[row]["seeds"] as? Double))
  }

  @Test(arguments: ["most_recently_used", "least_recently_used"])
  func choiceOfTheInstance(policy: String) throws {
    let choices = try #require(try Reference.json("simfaas")["instance_choice"] as? [String: Any])
    let expected = try #require(choices[policy] as? [String: Any])
    try compare(
      "simfaas-\(policy.replacingOccurrences(of: "_", with: "-"))", expected, seeds: 400)
  }

  private func compare(_ scenario: String, _ expected: [String: Any], seeds: Double) throws {
    let results = try Reference.run(scenario)
    #expect(results.outcomes.count >= 20)
    for (key, values) in [
      ("p_cold", try results.ratio("cold_starts", "arrivals")),
      ("servers", try results.values("ready_instances_mean")),
    ] {
      let value = try #require(expected[key] as? Double)
      let deviation = try #require(expected["\(key)_sd_per_run"] as? Double)
      Reference.expect(
        values, value, itsError: deviation / seeds.squareRoot(), "\(scenario) \(key)")
    }
  }
}
