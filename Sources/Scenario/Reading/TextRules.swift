/// What is looked for in a scenario's text before, or instead of, reading it as YAML.
enum TextRules {
  /// A diagnostic at the first byte that is not UTF-8.
  static func notUTF8(_ bytes: [UInt8], file: String) -> Diagnostic {
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var mark = Mark(line: 1, column: 1)
    while case .scalarValue(let scalar) = decoder.decode(&iterator) { mark.pass(scalar) }
    return Diagnostic(
      .encoding, file: file, line: mark.line, column: mark.column,
      message: "the file is not UTF-8", help: "save it as UTF-8")
  }

  /// The first character that YAML does not allow (YAML 1.1, section 5.1).
  static func forbidden(in text: String) -> (mark: Mark, scalar: Unicode.Scalar)? {
    guard let found = text.unicodeScalars.first(where: { !isAllowed($0) }) else { return nil }
    var mark = Mark(line: 1, column: 1)
    for scalar in text.unicodeScalars {
      if scalar == found { break }
      mark.pass(scalar)
    }
    return (mark, found)
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x20...0x7E, 0x09, 0x0A, 0x0D, 0x85, 0xA0...0xD7FF, 0x10000...0x10FFFF: true
    case 0xE000...0xFFFD: true
    default: false
    }
  }

  /// The place of a key that is no plain word, in a text with aliases. The YAML library compares
  /// keys as a whole, so a key of aliases to aliases would keep it busy for ever.
  static func aliasKey(in text: String) -> Mark? {
    guard text.utf8.contains(UInt8(ascii: "*")), text.utf8.contains(UInt8(ascii: "&")) else {
      return nil
    }
    var mark = Mark(line: 1, column: 1)
    // The last character but blanks, whether it ends an alias, and whether a blank came after it.
    var last: Unicode.Scalar = "\n"
    var isAlias = false
    var isAfterBlank = true
    // Whether the last character stands where a key may begin; a question may end with `?` too.
    var isFirst = false
    for scalar in text.unicodeScalars {
      let isBlank = scalar == " " || scalar == "\t" || scalar.isLineBreak
      let isStart = isAfterBlank || "-?:,[{".unicodeScalars.contains(last)
      if scalar == ":", isAlias || last == "]" || last == "}" { return mark }
      if isBlank, last == "?", isFirst, !isAfterBlank { return mark }
      if scalar == "*", isStart {
        isAlias = true
      } else if isAlias, !isBlank, isAfterBlank || ",]}".unicodeScalars.contains(scalar) {
        isAlias = false
      }
      if isBlank {
        isAfterBlank = true
      } else {
        (last, isAfterBlank, isFirst) = (scalar, false, isStart)
      }
      mark.pass(scalar)
    }
    return nil
  }

  /// The second place of a key in a block mapping, below its first; nil if it is not found.
  static func second(_ key: String, after first: Mark, in text: String) -> Mark? {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    guard first.line < lines.count else { return nil }
    for index in first.line..<lines.count {
      let line = lines[index]
      let indent = line.prefix { $0 == " " }.count
      guard indent < line.count, !line.dropFirst(indent).hasPrefix("#") else { continue }
      if indent < first.column - 1 { return nil }
      if indent == first.column - 1, line.dropFirst(indent).hasPrefix("\(key):") {
        return Mark(line: index + 1, column: first.column)
      }
    }
    return nil
  }
}

extension Unicode.Scalar {
  /// Line breaks of YAML 1.1; a carriage return counts when no line feed follows.
  var isLineBreak: Bool {
    self == "\n" || self == "\r" || self == "\u{85}" || self == "\u{2028}" || self == "\u{2029}"
  }
}

extension Mark {
  /// Moves behind a character.
  fileprivate mutating func pass(_ scalar: Unicode.Scalar) {
    if scalar.isLineBreak, scalar != "\r" {
      self = Mark(line: line + 1, column: 1)
    } else {
      column += 1
    }
  }
}
