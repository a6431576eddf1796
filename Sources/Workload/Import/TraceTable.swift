/// The rows of a file of separated values with a header, and what is wrong with them.
struct TraceTable: ~Copyable {
  private var reader: LineReader
  let name: String
  let header: [String]
  /// Between fields: a comma, or what a header without one is divided by.
  private let separator: UInt8
  var log = TraceErrorLog()
  /// Bytes of the fields of the present row.
  private(set) var fields: [Range<Int>] = []
  /// Rows so far, those with errors as well.
  private(set) var rows = 0

  /// - Throws: `TraceFailure` for a file without a header.
  init(path: String, name: String) throws(TraceFailure) {
    let opened = try Self.open(path, name)
    let separator = Self.separator(opened.line)
    header = try Self.header(opened.line, separator, name)
    self.separator = separator
    reader = opened
    self.name = name
  }

  private static func separator(_ line: [UInt8]) -> UInt8 {
    [",", ";", "\t", "|"].map { UInt8(ascii: $0) }.first { line.contains($0) } ?? UInt8(ascii: ",")
  }

  private static func header(
    _ line: [UInt8], _ separator: UInt8, _ name: String
  ) throws(TraceFailure) -> [String] {
    let byteOrder: [UInt8] = [0xEF, 0xBB, 0xBF]
    let bytes = line.dropFirst(line.starts(with: byteOrder) ? byteOrder.count : 0)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw TraceFailure(
        TraceError(
          .encoding, file: name, line: 1, found: "bytes that are not UTF-8",
          expected: "a header of column names", help: "save the file as UTF-8"))
    }
    let mark = Character(Unicode.Scalar(separator))
    let names = text.split(separator: mark, omittingEmptySubsequences: false)
      .map { $0.trimmingQuotes }
    try requireDistinct(names, name)
    return names
  }

  /// Columns are asked for by name; those without one are only counted.
  private static func requireDistinct(
    _ columns: [String], _ name: String
  ) throws(TraceFailure) {
    var positions: [String: Int] = [:]
    for (position, column) in columns.enumerated() where !column.isEmpty {
      guard let first = positions.updateValue(position, forKey: column) else { continue }
      throw TraceFailure(
        TraceError(
          .duplicate, file: name, line: 1, column: column,
          found: "columns \(first + 1) and \(position + 1) of this name",
          expected: "each name once", help: "rename or remove one of them"))
    }
  }

  /// A reader that stands on the first line.
  private static func open(_ path: String, _ name: String) throws(TraceFailure) -> LineReader {
    do throws(TraceError) {
      var reader = try LineReader(path: path, name: name)
      guard try reader.advance() else {
        throw TraceError(
          .empty, file: name, found: "an empty file", expected: "a header and rows",
          help: "fetch the file again")
      }
      return reader
    } catch {
      throw TraceFailure(error)
    }
  }

  var line: Int { reader.number }

  /// Goes to the next row that has as many fields as the header; false at the end.
  mutating func advance() throws(TraceFailure) -> Bool {
    while true {
      do throws(TraceError) {
        guard try reader.advance() else { return false }
      } catch {
        log.add(error)
        throw TraceFailure(log)
      }
      if reader.line.isEmpty { continue }
      rows += 1
      split()
      if fields.count == header.count { return true }
      log.add(
        TraceError(
          .fieldCount, file: name, line: line, found: "\(fields.count) fields",
          expected: "\(header.count), as in the header",
          help: "correct the row or leave it out"))
    }
  }

  private mutating func split() {
    fields.removeAll(keepingCapacity: true)
    var start = 0
    var isQuoted = false
    for (index, byte) in reader.line.enumerated() {
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
      if byte == separator, !isQuoted {
        fields.append(start..<index)
        start = index + 1
      }
    }
    fields.append(start..<reader.line.count)
  }

  /// Position of a column by its name.
  func column(_ name: String) -> Int? { header.firstIndex(of: name) }

  /// Position of a column that must be there.
  func required(_ column: String, help: String) throws(TraceFailure) -> Int {
    if let position = self.column(column) { return position }
    let known = header.prefix(8).map { "`\($0)`" }.joined(separator: ", ")
    throw TraceFailure(
      TraceError(
        .missingColumn, file: name, line: 1, column: column,
        found: "columns \(known)\(header.count > 8 ? ", …" : "")", expected: "one of this name",
        help: help))
  }

  // MARK: Fields

  func bytes(_ column: Int) -> ArraySlice<UInt8> { reader.line[fields[column]] }

  /// A field as text; nil, with an error, where it is not UTF-8.
  mutating func text(_ column: Int) -> String? {
    if let text = String(validating: bytes(column), as: UTF8.self) { return text.trimmingQuotes }
    fail(.encoding, column, "bytes that are not UTF-8", "text", "save the file as UTF-8")
    return nil
  }

  mutating func fail(
    _ kind: TraceError.Kind, _ column: Int, _ found: String, _ expected: String, _ help: String
  ) {
    log.add(
      TraceError(
        kind, file: name, line: line, column: header[column], found: found, expected: expected,
        help: help))
  }

  /// What stands in a field, for messages.
  func shown(_ column: Int) -> String {
    "`\(String(decoding: bytes(column).prefix(40), as: UTF8.self))`"
  }

  /// Invocations of one block at most: more than any platform has, and few enough to add up.
  static let mostInvocations: UInt64 = 4_000_000_000

  /// A count; nil, with an error, where it is none.
  mutating func count(_ column: Int) -> UInt32? {
    let digits = bytes(column)
    var value: UInt64 = 0
    var isNumber = !digits.isEmpty
    for byte in digits {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else {
        isNumber = false
        break
      }
      if value <= Self.mostInvocations { value = value * 10 + UInt64(byte - UInt8(ascii: "0")) }
    }
    if isNumber, value <= Self.mostInvocations { return UInt32(value) }
    if !isNumber, let number = plainNumber(column), number >= 0, number == number.rounded(),
      number <= Double(Self.mostInvocations)
    {
      return UInt32(number)
    }
    fail(
      isNumber ? .outOfRange : .badNumber, column, shown(column),
      "a whole number from 0 to \(Self.mostInvocations)", "correct the row or leave it out")
    return nil
  }

  private func plainNumber(_ column: Int) -> Double? {
    String(validating: bytes(column), as: UTF8.self).flatMap { Double($0.trimmingQuotes) }
  }

  /// A finite number in a range; nil, with an error, where it is none.
  mutating func number(_ column: Int, in range: ClosedRange<Double>) -> Double? {
    guard let value = plainNumber(column), value.isFinite else {
      fail(.badNumber, column, shown(column), "a number", "correct the row or leave it out")
      return nil
    }
    guard range.contains(value) else {
      fail(
        .outOfRange, column, shown(column), "from \(range.lowerBound) to \(range.upperBound)",
        "correct the row or leave it out")
      return nil
    }
    return value
  }

  /// A number, without an error where it is none.
  func optionalNumber(_ column: Int) -> Double? {
    plainNumber(column).flatMap { $0.isFinite ? $0 : nil }
  }
}

extension StringProtocol {
  /// Without spaces and one pair of quotation marks around it.
  var trimmingQuotes: String {
    var text = Substring(self)
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    if text.count >= 2, text.first == "\"", text.last == "\"" {
      text = text.dropFirst().dropLast()
    }
    return String(text)
  }
}
