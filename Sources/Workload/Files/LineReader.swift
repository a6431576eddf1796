/// The lines of a file, one at a time, in memory that does not grow with the file.
struct LineReader: ~Copyable {
  /// Bytes of a line at most: a row of counts by the minute for ten days fits many times over.
  static let longestLine = 1 << 20

  private var input: GzipInput
  private let name: String
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 8)
  private var next = 0
  private var end = 0
  /// Without its end of line.
  private(set) var line: [UInt8] = []
  /// From 1; 0 before the first.
  private(set) var number = 0

  init(path: String, name: String) throws(TraceError) {
    input = try GzipInput(path: path, name: name)
    self.name = name
    line.reserveCapacity(1 << 14)
  }

  deinit { buffer.deallocate() }

  /// Goes to the next line; false at the end.
  mutating func advance() throws(TraceError) -> Bool {
    line.removeAll(keepingCapacity: true)
    number += 1
    while true {
      if next == end {
        end = try input.read(into: buffer)
        next = 0
        if end == 0 {
          stripReturn()
          return !line.isEmpty
        }
      }
      let rest = UnsafeRawBufferPointer(rebasing: buffer[next..<end])
      let stop = rest.firstIndex(of: UInt8(ascii: "\n"))
      line.append(contentsOf: rest[..<(stop ?? rest.count)])
      next += (stop ?? rest.count) + (stop == nil ? 0 : 1)
      guard line.count <= Self.longestLine else {
        throw TraceError(
          .lineTooLong, file: name, line: number, found: "a line of more than a mebibyte",
          expected: "shorter lines", help: "this is no trace, or its line ends are lost")
      }
      if stop != nil {
        stripReturn()
        return true
      }
    }
  }

  private mutating func stripReturn() {
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
  }
}
