/// Rows of which most words are zero, kept as a mask of those that are not and the words
/// themselves: a row of counters that has half a kilobyte takes some hundred bytes, and a long run
/// has a million of them.
///
/// Reading or adding one costs a pass over its words. Value semantics; no row can be changed.
public struct PackedRows<Row: BitwiseCopyable & Sendable>: RandomAccessCollection, Sendable {
  private static var wordCount: Int { (MemoryLayout<Row>.size + 7) / 8 }
  private static var maskCount: Int { (wordCount + 63) / 64 }

  /// By row: the mask of its words, the lowest bit first, and then those that are not zero.
  private var words: [UInt64] = []
  /// Where each begins.
  private var starts: [Int] = []

  public init() {}

  public init(_ rows: some Sequence<Row>) {
    for row in rows { append(row) }
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int { starts.count }

  /// Room for so many rows with so many words that are not zero.
  mutating func reserveCapacity(_ rows: Int, wordsEach: Int) {
    starts.reserveCapacity(rows)
    words.reserveCapacity(rows * (wordsEach + Self.maskCount))
  }

  public mutating func append(_ row: Row) {
    let start = words.count
    starts.append(start)
    for _ in 0..<Self.maskCount { words.append(0) }
    withUnsafeBytes(of: row) { bytes in
      for index in 0..<Self.wordCount {
        let word = Self.word(index, of: bytes)
        guard word != 0 else { continue }
        words[start + index / 64] |= 1 << UInt64(index % 64)
        words.append(word)
      }
    }
  }

  /// A word of a row; what its last one lacks is zero.
  private static func word(_ index: Int, of bytes: UnsafeRawBufferPointer) -> UInt64 {
    let from = index * 8
    guard from + 8 > bytes.count else {
      return bytes.loadUnaligned(fromByteOffset: from, as: UInt64.self)
    }
    var word: UInt64 = 0
    for place in from..<bytes.count { word |= UInt64(bytes[place]) << UInt64((place - from) * 8) }
    return word
  }

  public subscript(position: Int) -> Row {
    let masks = starts[position]
    var next = masks + Self.maskCount
    return withUnsafeTemporaryAllocation(
      byteCount: Self.wordCount * 8, alignment: Swift.max(8, MemoryLayout<Row>.alignment)
    ) { bytes in
      for index in 0..<Self.wordCount {
        var word: UInt64 = 0
        if words[masks + index / 64] >> UInt64(index % 64) & 1 == 1 {
          word = words[next]
          next += 1
        }
        bytes.storeBytes(of: word, toByteOffset: index * 8, as: UInt64.self)
      }
      return bytes.load(as: Row.self)
    }
  }
}
