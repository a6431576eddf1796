/// Lets `lognormal(median: 50ms, sigma: 0.6)` stand in a scenario without quotes.
///
/// YAML takes a colon, a comma or a bracket inside such a call for a mark of its own. Between the
/// call's parentheses each of them is replaced by a code point of a private plane before YAML reads
/// the text, and put back in every scalar afterwards. One code point stands for one code point, so
/// lines and columns stay true. A call ends on its line; what is quoted or commented out needs no
/// shield.
enum CallShield {
  private static let pairs: [(seen: Unicode.Scalar, hidden: Unicode.Scalar)] = [
    (":", "\u{F8F00}"), (",", "\u{F8F01}"), ("[", "\u{F8F02}"), ("]", "\u{F8F03}"),
    ("{", "\u{F8F04}"), ("}", "\u{F8F05}"), ("#", "\u{F8F06}"),
  ]

  static func hide(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "(")) else { return text }
    var output = String.UnicodeScalarView()
    var line: [Unicode.Scalar] = []
    for scalar in text.unicodeScalars {
      line.append(scalar)
      guard scalar == "\n" || scalar == "\r" else { continue }
      hide(&line)
      output.append(contentsOf: line)
      line.removeAll(keepingCapacity: true)
    }
    hide(&line)
    output.append(contentsOf: line)
    return String(output)
  }

  static func reveal(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.value >> 8 == 0xF8F }) else { return text }
    var output = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      output.append(pairs.first { $0.hidden == scalar }?.seen ?? scalar)
    }
    return String(output)
  }

  private static func hide(_ line: inout [Unicode.Scalar]) {
    var quote: Unicode.Scalar?
    var before: Unicode.Scalar?
    var index = 0
    while index < line.count {
      let scalar = line[index]
      if let open = quote {
        if scalar == "\\" && open == "\"" { index += 1 }
        if scalar == open { quote = nil }
      } else if (scalar == "\"" || scalar == "'") && startsValue(after: before) {
        quote = scalar
      } else if scalar == "#" && (index == 0 || line[index - 1] == " ") {
        return
      } else if scalar == "(", index > 0, isWord(line[index - 1]) {
        index = hideCall(&line, from: index)
      }
      if index < line.count, line[index] != " " { before = line[index] }
      index += 1
    }
  }

  /// Hides from an opening parenthesis to its partner, which it returns. Without a partner the
  /// brackets stay, since they may close what is around the call.
  private static func hideCall(_ line: inout [Unicode.Scalar], from open: Int) -> Int {
    var depth = 0
    var end = open
    while end < line.count {
      if line[end] == "(" { depth += 1 }
      if line[end] == ")" { depth -= 1 }
      if depth == 0 { break }
      end += 1
    }
    let isClosed = depth == 0
    for index in open..<end {
      if !isClosed, line[index] != ":", line[index] != "," { continue }
      if let pair = pairs.first(where: { $0.seen == line[index] }) { line[index] = pair.hidden }
    }
    return isClosed ? end : line.count
  }

  /// Whether a quote after this character begins a quoted value; elsewhere it is an apostrophe.
  private static func startsValue(after before: Unicode.Scalar?) -> Bool {
    guard let before else { return true }
    return ":,[{-?".unicodeScalars.contains(before)
  }

  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "_" || scalar == "-" || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
  }
}
