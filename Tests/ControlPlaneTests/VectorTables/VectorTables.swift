import Foundation
import Testing

/// Published tables against the control plane's rules. Inputs and expectations come from the files
/// only.
///
/// A group's line says `library only` where no simulation executes what it checks: such rules are
/// for programs that use the library, and a scenario cannot choose them yet. The other groups check
/// the types that simulations execute.
@Suite struct VectorTables {
  /// How each group of each file is compared.
  static var checks: [String: [String: GroupCheck]] {
    [
      "hash_functions": hashFunctions, "consistent_hashing": consistentHashing,
      "knative_kpa": knativePodAutoscaler, "scheduler_scoring": schedulerScoring,
      "etcd_lease": etcdLease, "load_balancing_theory": loadBalancingTheory, "erlang": erlang,
      "kubernetes_hpa": kubernetesHPA, "keda_kafka": kedaKafka,
      "keepalive_prediction": keepAlivePrediction, "kafka_assignment": kafkaAssignment,
      "node_autoscaling": nodeAutoscaling, "envoy_load_balancing": envoyLoadBalancing,
      "rate_limiting": rateLimiting,
    ]
  }

  @Test func everyCaseOfEveryFile() throws {
    let names = try VectorFile.names()
    #expect(!names.isEmpty, "no file in \(VectorFile.folder.path)")
    for name in names {
      let outcome = try VectorFile(reading: name).outcome()
      print(outcome.lines.joined(separator: "\n"))
      for (place, problems) in outcome.problems.sorted(by: { $0.key < $1.key }) {
        for problem in problems { Issue.record("\(name), \(place): \(problem)") }
      }
    }
  }

  /// Nothing that has a check is missing from the project's own copy.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["HEADROOM_VECTORS"] == nil))
  func everyCheckHasItsGroup() throws {
    for (name, groups) in Self.checks {
      let file = try VectorFile(reading: "\(name).json")
      #expect(Set(groups.keys).isSubset(of: file.groups.map(\.name)), "\(name)")
    }
    let all = try Self.checks.keys.flatMap { try VectorFile(reading: "\($0).json").groups }
    #expect(Set(VectorFile.leftOut.keys).isSubset(of: all.map(\.name)))
  }

  /// Each expected value of each case, changed by one unit of its last digit or a millionth.
  @Test func eachWrongExpectationIsNoticed() throws {
    try forEachGroup { file, group, check in
      for (index, one) in group.cases.enumerated() {
        let place = "\(file.name), \(group.name), case \(index)"
        let variants = try check.variants(of: one)
        #expect(!variants.isEmpty, "\(place) expects nothing")
        for variant in variants {
          let comparison = try check.compare(variant, group.fields)
          #expect(!comparison.differences.isEmpty, "\(place): \(variant) went unnoticed")
        }
      }
    }
  }

  /// One wrong expectation fails its group.
  @Test func aGroupWithAWrongExpectationFails() throws {
    try forEachGroup { file, group, check in
      var wrong = group
      let last = group.cases.count - 1
      wrong.cases[last] = try #require(try check.variants(of: group.cases[last]).first)
      let outcome = file.outcome(of: wrong)
      #expect(outcome.problems[group.name] != nil, "\(file.name), \(group.name)")
      #expect(outcome.lines.count == 1)
    }
  }

  /// Fields whose text is a claim or a step that is known by its exact words.
  private static let prose = [
    "property", "op", "keys", "weights", "first_keepalive_timeout_s", "invalid", "rule", "lag",
    "boundary", "policy", "scale_down_delay_after_delete_s", "expect_scheduled", "expander",
    "legacy_scale_up_limit", "model", "kind", "direction", "mode",
  ]

  @Test func whatIsNotUnderstoodFails() throws {
    #expect(throws: VectorValue.Unreadable.self) { try VectorFile(reading: "notes.txt") }
    try forEachGroup { file, group, check in
      var strange = group
      strange.name = "a_new_group"
      #expect(file.outcome(of: strange).problems["a_new_group"] != nil)
      var unread = group
      unread.cases[0] = unread.cases[0].setting("a_new_field", to: .number(1))
      #expect(file.outcome(of: unread).problems[group.name] != nil, "\(group.name)")
      var silent = group
      silent.cases.append(.object([:]))
      let outcome = file.outcome(of: silent)
      #expect(outcome.problems[group.name] != nil, "\(group.name)")
      let count = group.cases.count
      #expect(outcome.lines[0].contains("\(group.name) \(count)/\(count + 1)"))
      for key in Self.prose where !check.notes.contains(key) {
        for index in group.cases.indices {
          guard case .text(let text)? = group.cases[index][key] else { continue }
          var prose = group
          prose.cases = [group.cases[index].setting(key, to: .text(text + "?"))]
          #expect(file.outcome(of: prose).problems[group.name] != nil, "\(group.name), \(key)")
        }
      }
      var other = file
      other.name = "a_new_file"
      #expect(other.outcome().problems["a_new_file"] != nil)
      other.name = file.name
      other.groups.removeLast()
      #expect(other.totalProblem != nil)
    }
  }

  private func forEachGroup(
    _ body: (VectorFile, VectorFile.Group, GroupCheck) throws -> Void
  ) throws {
    let names = try VectorFile.names()
    for (name, groups) in Self.checks.sorted(by: { $0.key < $1.key })
    where names.contains("\(name).json") {
      let file = try VectorFile(reading: "\(name).json")
      for group in file.groups {
        if let check = groups[group.name] { try body(file, group, check) }
      }
    }
  }
}
