extension UnsafeRawBufferPointer {
  /// The little-endian 64-bit word at byte `offset`, which need not be aligned.
  @inlinable @inline(__always)
  func word64(_ offset: Int) -> UInt64 {
    UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// The little-endian 32-bit word at byte `offset`, widened.
  @inlinable @inline(__always)
  func word32(_ offset: Int) -> UInt64 {
    UInt64(UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
  }
}

extension UInt64 {
  /// The bits turned left by `count`, 1 ... 63.
  @inlinable @inline(__always)
  func rotatedLeft(by count: UInt64) -> UInt64 { self << count | self >> (64 &- count) }
}

/// Calls `body` with the UTF-8 bytes of `text`.
@inlinable @inline(__always)
func withUTF8Bytes<R>(_ text: String, _ body: (UnsafeRawBufferPointer) -> R) -> R {
  var text = text
  return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
}
