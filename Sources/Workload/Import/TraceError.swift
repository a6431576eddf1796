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
    return "error[\(kind.rawValue)]: found \(found), expected \(expected)\n"
      + "  --> \(place)\n  = help: \(help)"
  }

  /// Whether it is there and cannot be read.
  public var isUnreadable: Bool { kind == .unreadable }

  /// Whether the file is not there, rather than wrong.
  public var isMissing: Bool { kind == .missingFile || kind == .noData }
}

/// Why a trace could not be read: its first errors, and how many there are.
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
    return total > errors.count ? shown + "\nand \(total - errors.count) more" : shown
  }
}

/// Errors of one file while it is read.
struct TraceErrorLog {
  /// More are counted, but not kept.
  static let most = 20

  private(set) var errors: [TraceError] = []
  private(set) var total = 0

  mutating func add(_ error: TraceError) {
    total += 1
    if errors.count < Self.most { errors.append(error) }
  }

  func throwIfAny() throws(TraceFailure) {
    if total > 0 { throw TraceFailure(self) }
  }
}
