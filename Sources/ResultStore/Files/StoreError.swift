/// Why a results file could not be made, written or read.
public struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What went wrong. The number never changes its meaning, and a retired one is not used again.
  public enum Kind: String, Sendable, CaseIterable {
    case fileExists = "HR2001"
    case isDirectory = "HR2002"
    case folderMissing = "HR2003"
    case noPermission = "HR2004"
    case diskFull = "HR2005"
    case locked = "HR2006"
    case inputOutput = "HR2007"
    case badRow = "HR2008"
    case alreadyClosed = "HR2009"
    case notAFile = "HR2010"
    case foreignFile = "HR2011"
    case fileMissing = "HR2020"
    case notSQLite = "HR2021"
    case notResults = "HR2022"
    case newerSchema = "HR2023"
    case olderSchema = "HR2024"
    case damaged = "HR2025"
    case badHistogram = "HR2026"
    case noSuchRun = "HR2027"
  }

  /// The classes of exit codes that a store can end a command with.
  public enum ExitClass: Int32, Sendable {
    case internalError = 1
    case badInput = 65
    case missing = 66
    case inputOutput = 74
  }

  public var kind: Kind
  /// The file.
  public var path: String
  /// The table, where one is concerned.
  public var table: String?
  public var found: String
  public var expected: String
  /// What a person can do now.
  public var help: String

  public init(
    _ kind: Kind, path: String, table: String? = nil, found: String, expected: String, help: String
  ) {
    self.kind = kind
    self.path = path
    self.table = table
    self.found = found
    self.expected = expected
    self.help = help
  }

  /// The stable identifier, as in HR2005.
  public var id: String { kind.rawValue }

  public var exitClass: ExitClass {
    switch kind {
    case .fileExists, .isDirectory, .notAFile, .foreignFile, .folderMissing, .noPermission,
      .diskFull, .locked, .inputOutput:
      .inputOutput
    case .badRow, .alreadyClosed: .internalError
    case .fileMissing: .missing
    case .notSQLite, .notResults, .newerSchema, .olderSchema, .damaged, .badHistogram, .noSuchRun:
      .badInput
    }
  }

  public var description: String {
    let place = table.map { "\(path), table \($0)" } ?? path
    return "error[\(id)]: \(place): \(found); expected \(expected)\n  help: \(help)"
  }
}
