import Primitives

/// Something wrong in a scenario: a stable id, a place, what was found, what was expected, what to
/// do.
public struct Diagnostic: Sendable, Equatable {
  /// Kinds, each with an id that never changes its meaning.
  public enum Kind: String, Sendable, CaseIterable {
    case syntax = "HR0101"
    case encoding = "HR0102"
    case tooLarge = "HR0103"
    case duplicateKey = "HR0104"
    case unknownKey = "HR0105"
    case missingKey = "HR0106"
    case wrongType = "HR0107"
    case badQuantity = "HR0108"
    case unknownUnit = "HR0109"
    case unknownName = "HR0110"
    case outOfRange = "HR0111"
    case badDistribution = "HR0112"
    case badObjective = "HR0113"
    case badPolicy = "HR0114"
    case inconsistent = "HR0115"
    case badOverride = "HR0116"
    case unsupportedVersion = "HR0117"
    case duplicateName = "HR0118"
    case unusedName = "HR0151"
    case neverHappens = "HR0152"
    case implausible = "HR0153"

    /// Warnings stop nothing: the scenario means something, but perhaps not what was meant.
    public var isWarning: Bool {
      self == .unusedName || self == .neverHappens || self == .implausible
    }
  }

  public var kind: Kind
  public var file: String
  /// From 1; 0 when there is no place, as for an override on the command line.
  public var line: Int
  public var column: Int
  /// Characters to underline.
  public var length: Int
  public var message: String
  /// What to do about it.
  public var help: String?

  public init(
    _ kind: Kind, file: String, line: Int, column: Int, length: Int = 1, message: String,
    help: String? = nil
  ) {
    self.kind = kind
    self.file = file
    self.line = line
    self.column = column
    self.length = length
    self.message = message
    self.help = help
  }

  /// The diagnostic with the line it is about, underlined; of an endless line, the part around it.
  public func render(source: [Substring]) -> String {
    var text = "\(kind.isWarning ? "warning" : "error")[\(kind.rawValue)]: \(message)\n"
    if line > 0 {
      text += "  --> \(file):\(line):\(column)\n"
      if line <= source.count { text += excerpt(of: source[line - 1].unicodeScalars) }
    } else {
      text += "  --> \(file)\n"
    }
    if let help { text += "  = help: \(help)\n" }
    return text
  }

  private func excerpt(of line: Substring.UnicodeScalarView) -> String {
    let width = 120
    let start = column > width - 20 ? column - 61 : 0
    let part = line.dropFirst(start)
    let shown = part.prefix(width)
    var text = start > 0 ? "…" : ""
    for scalar in shown { text.unicodeScalars.append(scalar.value < 32 ? " " : scalar) }
    if shown.endIndex < part.endIndex { text += "…" }
    let before = max(0, column - 1 - start)
    let carets = max(1, min(length, shown.count - before))
    let number = String(self.line)
    let margin = String(repeating: " ", count: number.count)
    let indent = String(repeating: " ", count: before + (start > 0 ? 1 : 0))
    return "\(margin) |\n\(number) | \(text)\n"
      + "\(margin) | \(indent)\(String(repeating: "^", count: carets))\n"
  }
}

/// Suggestions by edit distance.
enum Nearest {
  /// The candidate nearest to a word, if it is near enough to be a slip.
  static func match(_ word: String, in candidates: some Sequence<String>) -> String? {
    var best: (distance: Int, word: String)?
    for candidate in candidates {
      let distance = distance(small(word), small(candidate))
      if best.map({ distance < $0.distance }) ?? true { best = (distance, candidate) }
    }
    guard let best, best.distance <= min(word.utf8.count, best.word.utf8.count) / 2 else {
      return nil
    }
    return best.word
  }

  /// The first bytes, in lower case: `mib` is near `MiB`.
  private static func small(_ word: String) -> [UInt8] {
    word.utf8.prefix(64).map { (65...90).contains($0) ? $0 + 32 : $0 }
  }

  /// Insertions, removals and replacements between two words (Wagner and Fischer).
  static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for i in a.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let replaced = diagonal + (a[i] == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, min(row[j], row[j + 1]) + 1)
      }
    }
    return row[b.count]
  }

  /// "did you mean `x`?", or a list of what there is.
  static func hint(_ word: String, in candidates: [String]) -> String? {
    if let match = match(word, in: candidates) { return "did you mean `\(match)`?" }
    guard !candidates.isEmpty, candidates.count <= 24 else { return nil }
    return "one of " + candidates.map { "`\($0)`" }.joined(separator: ", ")
  }
}
