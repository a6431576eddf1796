import Foundation

/// One file of published tables, and what comes of comparing it.
struct VectorFile {
  /// Groups that are not compared, and why. Anything else must be.
  static let leftOut: [String: String] = [
    "XXH32": "a hash that nothing here uses",
    "wyhash_v1_seeded": "a hash that nothing here uses",
    "wyrand_seed0": "the generator of a hash that nothing here uses",
    "siphash_2_4_64": "a hash that nothing here uses",
    "karpenter_eviction_cost_derived": "a way to consolidate nodes that no pool here follows",
    "karpenter_balanced_move": "a way to consolidate nodes that no pool here follows",
    "karpenter_defaults": "a way to consolidate nodes that no pool here follows",
    "vegas_limit": "a limit on concurrency that nothing here uses",
  ]

  /// Files for parts that are not built yet.
  static let notBuilt: Set<String> = []

  /// Groups whose cases go on from those before them: each gets its number as `case_index`.
  static let sequences: Set<String> = ["gcra_sequence", "exp_avg_measurement"]

  struct Group {
    var name: String
    var fields: VectorValue
    var cases: [VectorValue]
  }

  struct Outcome {
    /// `vectors: FILE GROUP ran/expected`, and why where that is not all.
    var lines: [String] = []
    /// By group, or under the file's own name.
    var problems: [String: [String]] = [:]

    mutating func fail(_ place: String, _ problem: String) {
      problems[place, default: []].append(problem)
    }
  }

  var name: String
  var groups: [Group]
  private let total: Int

  /// The folder of the files: the tests' own, or where HEADROOM_VECTORS says.
  static var folder: URL {
    if let path = ProcessInfo.processInfo.environment["HEADROOM_VECTORS"] {
      return URL(filePath: path)
    }
    return URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Vectors")
      .standardizedFileURL
  }

  static func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil, options: .skipsHiddenFiles
    ).map(\.lastPathComponent).sorted()
  }

  /// - Parameter file: its name in the folder.
  init(reading file: String) throws {
    guard file.hasSuffix(".json") else {
      throw VectorValue.Unreadable(description: "nobody knows the file `\(file)`")
    }
    let data = try Data(contentsOf: Self.folder.appending(path: file))
    let root = VectorValue(json: try JSONSerialization.jsonObject(with: data))
    name = String(file.dropLast(5))
    total = try root.int("cases_total")
    groups = try root.list("groups").map {
      let name = try $0.text("name")
      var cases = try $0.list("cases")
      if Self.sequences.contains(name) {
        cases = cases.enumerated().map {
          $1.setting("case_index", to: .number(Double($0)))
        }
      }
      return Group(name: name, fields: $0, cases: cases)
    }
  }

  // MARK: Comparing

  /// Compares every case of every group.
  func outcome() -> Outcome {
    var outcome = Outcome()
    if let problem = totalProblem { outcome.fail(name, problem) }
    if VectorTables.checks[name] == nil && !Self.notBuilt.contains(name) {
      outcome.fail(name, "nobody knows the file `\(name)`")
    }
    for group in groups { add(group, to: &outcome) }
    return outcome
  }

  /// Compares every case of one group.
  func outcome(of group: Group) -> Outcome {
    var outcome = Outcome()
    add(group, to: &outcome)
    return outcome
  }

  /// What is wrong with the number of cases.
  var totalProblem: String? {
    let count = groups.reduce(0) { $0 + $1.cases.count }
    return count == total ? nil : "\(count) cases, but it says \(total)"
  }

  private func add(_ group: Group, to outcome: inout Outcome) {
    if let check = VectorTables.checks[name]?[group.name] {
      return compare(group, by: check, into: &outcome)
    }
    let reason = Self.notBuilt.contains(name) ? "not built yet" : Self.leftOut[group.name]
    outcome.lines.append(line(group, ran: 0) + (reason.map { ", left out: \($0)" } ?? ""))
    if reason == nil { outcome.fail(group.name, "nobody knows the group `\(group.name)`") }
  }

  private func compare(_ group: Group, by check: GroupCheck, into outcome: inout Outcome) {
    var ran = 0
    for (index, one) in group.cases.enumerated() {
      do {
        let comparison = try check.outcome(of: one, in: group.fields)
        if comparison.compared > 0 { ran += 1 }
        for difference in comparison.differences {
          outcome.fail(group.name, "case \(index): \(difference)")
        }
      } catch {
        outcome.fail(group.name, "case \(index): \(error)")
      }
    }
    if ran < group.cases.count {
      outcome.fail(group.name, "\(ran) of \(group.cases.count) cases compared a value")
    }
    outcome.lines.append(line(group, ran: ran) + check.use.rawValue)
  }

  private func line(_ group: Group, ran: Int) -> String {
    "vectors: \(name) \(group.name) \(ran)/\(group.cases.count)"
  }
}
