/// Something wrong with a trace file: a stable id, a place, what was found, what was expected, what
/// to do.
public struct TraceError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Kinds, each with an id that never changes its meaning.
  public enum Kind: String, Sendable, CaseIterable {
    case missingFile = "HR1001"
    case unreadable = "HR1002"
    case truncated = "HR1003"
    case damagedGzip = "HR1004"
    case encoding = "HR1005"
    case empty = "HR1006"
    case lineTooLong = "HR1007"
    case unknownFormat = "HR1008"
    case missingColumn = "HR1009"
    case fieldCount = "HR1010"
    case badNumber = "HR1011"
    case outOfRange = "HR1012"
    case duplicate = "HR1013"
    case badTime = "HR1014"
    case noData = "HR1015"
  }

  public var kind: Kind
  public var file: String
  /// From 1; 0: the file as a whole.
  public var line: Int
  /// Name of the column, where one is concerned.
  public var column: String?
  public var found: String
  public var expected: String
  /// What a person can do now.
  public var help: String
  /// Further errors of the same kind that expected the same, in other rows or columns.
  public var more = 0

  public init(
    _ kind: Kind, file: String, line: Int = 0, column: String? = nil, found: String,
    expected: String, help: String
  ) {
    self.kind = kind
    self.file = file
    self.line = line
    self.column = column
    self.found = found
    self.expected = expected
    self.help = help
  }

  public var description: String {
    var place = file
    if line > 0 { place += ":\(line)" }
    if let column { place += ", column `\(column)`" }
    let others = more > 0 ? "\n  and \(more) more like it" : ""
    return "error[\(kind.rawValue)]: found \(found), expected \(expected)\n"
      + "  --> \(place)\(others)\n  = help: \(help)"
  }

  /// Whether it is there and cannot be read.
  public var isUnreadable: Bool { kind == .unreadable }

  /// Whether the file is not there, rather than wrong.
  public var isMissing: Bool { kind == .missingFile || kind == .noData }
}

/// Why a trace could not be read: the first error of each kind, and how many there are of all.
public struct TraceFailure: Error, Sendable, Equatable, CustomStringConvertible {
  public var errors: [TraceError]
  public var total: Int

  public init(_ error: TraceError) {
    errors = [error]
    total = 1
  }

  init(_ log: TraceErrorLog) {
    errors = log.errors
    total = log.total
  }

  public var description: String {
    let shown = errors.map(\.description).joined(separator: "\n")
    let told = errors.reduce(0) { $0 + 1 + $1.more }
    return total > told ? shown + "\nand \(total - told) more" : shown
  }
}

/// Errors of one file while it is read: the first of each kind with its place, and the number of
/// those like it. A matrix of fractions has one thing wrong and not a hundred thousand.
struct TraceErrorLog {
  /// Kinds; more are counted, but not kept.
  static let most = 20

  private(set) var errors: [TraceError] = []
  private(set) var total = 0

  mutating func add(_ error: TraceError) {
    total += 1
    let like = errors.firstIndex {
      $0.kind == error.kind && $0.expected == error.expected && $0.help == error.help
    }
    if let like {
      errors[like].more += 1
    } else if errors.count < Self.most {
      errors.append(error)
    }
  }

  func throwIfAny() throws(TraceFailure) {
    if total > 0 { throw TraceFailure(self) }
  }
}
