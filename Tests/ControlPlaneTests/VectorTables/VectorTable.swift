import Foundation
import Testing

/// One vector file while a test goes through it: every group is checked or left out with a reason,
/// every case is compared, and a comparison that cannot fail is found out.
final class VectorTable {
  /// What a comparison finds different; empty: all as expected.
  typealias Differences = [String]

  private struct Group {
    var name: String
    var fields: VectorValue
    var cases: [VectorValue]
  }

  let name: String
  private let total: Int
  private var groups: [Group] = []
  private var checked: [String: Int] = [:]
  private(set) var leftOut: [String: String] = [:]

  /// The folder of the files: the tests' own, or where HEADROOM_VECTORS says.
  static var folder: URL {
    if let path = ProcessInfo.processInfo.environment["HEADROOM_VECTORS"] {
      return URL(filePath: path)
    }
    return URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Vectors")
      .standardizedFileURL
  }

  init(_ name: String) throws {
    self.name = name
    let data = try Data(contentsOf: Self.folder.appending(path: "\(name).json"))
    let root = VectorValue(json: try JSONSerialization.jsonObject(with: data))
    total = try root.int("cases_total")
    for group in try root.list("groups") {
      groups.append(
        Group(name: try group.text("name"), fields: group, cases: try group.list("cases")))
    }
  }

  /// Fields of a group beside its cases.
  func fields(of group: String) throws -> VectorValue {
    guard let found = groups.first(where: { $0.name == group }) else {
      throw VectorValue.Unreadable(description: "no group `\(group)` in \(name)")
    }
    return found.fields
  }

  /// Compares every case of a group; then the same cases with a changed expectation each, which
  /// must differ.
  /// - Parameter expected: keys of what is expected; the first that a case has is changed.
  func check(
    _ group: String, expecting expected: String...,
    by compare: (VectorValue) throws -> Differences
  ) throws {
    guard let found = groups.first(where: { $0.name == group }) else {
      throw VectorValue.Unreadable(description: "no group `\(group)` in \(name)")
    }
    for (index, one) in found.cases.enumerated() {
      let differences = try compare(one)
      #expect(differences.isEmpty, "\(name), \(group), case \(index): \(differences)")
      checked[group, default: 0] += 1
      guard let key = expected.first(where: { one[String($0.prefix { $0 != "." })] != nil }),
        let wrong = one.perturbed(under: key)
      else {
        Issue.record("\(name), \(group), case \(index) expects nothing under \(expected)")
        continue
      }
      let found = (try? compare(wrong)) ?? ["unreadable"]
      #expect(!found.isEmpty, "\(name), \(group), case \(index): a wrong `\(key)` went unnoticed")
    }
  }

  func leaveOut(_ group: String, because reason: String) { leftOut[group] = reason }

  /// Every group was looked at, and every case of those that were not left out.
  func finish() {
    var counted = 0
    for group in groups {
      if leftOut[group.name] != nil {
        counted += group.cases.count
        continue
      }
      #expect(checked[group.name] == group.cases.count, "\(name): \(group.name) was not checked")
      counted += checked[group.name] ?? 0
    }
    #expect(counted == total, "\(name) says that it has \(total) cases")
    let names = Set(groups.map(\.name))
    #expect(leftOut.keys.allSatisfy(names.contains), "\(name) has no group that is left out")
  }

  // MARK: Comparisons

  static func same<Value: Equatable>(_ what: String, _ found: Value, _ expected: Value)
    -> Differences
  {
    found == expected ? [] : ["\(what): \(found) instead of \(expected)"]
  }

  static func close(
    _ what: String, _ found: Double, _ expected: Double, relative: Double
  ) -> Differences {
    abs(found - expected) <= relative * max(abs(expected), 1e-300)
      ? [] : ["\(what): \(found) instead of \(expected)"]
  }
}

/// Published tables, against the same code that the simulation runs.
@Suite struct VectorTables {}
