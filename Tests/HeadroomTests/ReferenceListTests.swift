import Foundation
import Testing

/// Every scenario of `scenarios/reference` is one that a test compares, and the other way round.
@Suite struct ReferenceListTests {
  @Test func everyScenarioIsCompared() throws {
    var compared = Set(PowerOfTwoTests.sizes.map(PowerOfTwoTests.scenario))
    compared.formUnion(try ClosedFormTests.cases("erlang_b").map(ClosedFormTests.erlangB))
    compared.formUnion(try ClosedFormTests.cases("erlang_c").map(ClosedFormTests.erlangC))
    for rule in ["lost", "backorder"] {
      compared.formUnion(
        try ClosedFormTests.cases("warm_pool_\(rule)").map { ClosedFormTests.pool(rule, $0) })
    }
    let sparse = try Reference.json("closed_forms")["sparse_keep_alive"] as? [String: Any]
    compared.formUnion(
      try #require(sparse?["lambda_T"] as? [Double]).map(ClosedFormTests.keepAlive))
    compared.formUnion(SimFaaSTests.reruns.map { "simfaas-\($0)" })
    compared.formUnion(SimFaaSTests.choices.map(SimFaaSTests.scenario))
    compared.formUnion(DSLabTests.scenarios.values)
    compared.insert("faascache")
    let files = try FileManager.default.contentsOfDirectory(
      at: Reference.folder, includingPropertiesForKeys: nil, options: .skipsHiddenFiles)
    #expect(Set(files.map { $0.deletingPathExtension().lastPathComponent }) == compared)
  }
}
