import CZlib
import Glibc
import Primitives

/// Bytes of a file, unpacked if it is packed by gzip; its first bytes decide, not its name.
///
/// A packed file is one member after another (RFC 1952, section 2.2), each with a check sum, and
/// perhaps zeros at the end. zlib's own reader of files takes what ends too early for whole, and
/// leaves out in silence what follows the last member; here both are errors.
struct GzipInput: ~Copyable {
  private enum State {
    /// Nothing is read yet.
    case start
    case plain
    /// Inside a member.
    case packed
    /// After the end of a member.
    case between
  }

  private let file: UnsafeMutablePointer<FILE>
  private let name: String
  private let packed: UnsafeMutableRawBufferPointer
  /// zlib's state points back to it, so that it must not move.
  private let stream: UnsafeMutablePointer<z_stream>
  private var state = State.start
  /// Bytes of `packed` that are not used yet.
  private var next = 0
  private var end = 0

  /// - Throws: `TraceError` for a file that is not there or cannot be read.
  init(path: String, name: String) throws(TraceError) {
    self.name = name
    file = try Self.open(path, name)
    packed = .allocate(byteCount: 1 << 17, alignment: 8)
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // 15 bits of window, as the format has them, and 16 for the header and check sum of gzip.
    inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    packed.deallocate()
    fclose(file)
  }

  private static func open(
    _ path: String, _ name: String
  ) throws(TraceError) -> UnsafeMutablePointer<FILE> {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw TraceError(
        .missingFile, file: name, found: "no such file", expected: "a trace",
        help: "look at the path, and at the directory that --data names")
    }
    let kind = status.st_mode & S_IFMT
    if kind == S_IFREG, let file = fopen(path, "rb") { return file }
    let found =
      kind == S_IFREG
      ? "a file that cannot be opened" : kind == S_IFDIR ? "a directory" : "a device or pipe"
    throw TraceError(
      .unreadable, file: name, found: found, expected: "a readable file",
      help: "look at what it is, and at its permissions")
  }

  /// Fills a part of the buffer; 0 at the end.
  /// - Throws: `TraceError` where the file is damaged or ends too early.
  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int {
    while true {
      switch state {
      case .start:
        while end < 2, try fill() > 0 {}
        state = isAtMember ? .packed : .plain
      case .plain:
        if next == end, try refill() == 0 { return 0 }
        let count = min(buffer.count, end - next)
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: packed[next..<(next + count)]))
        next += count
        return count
      case .packed:
        let count = try inflate(into: buffer)
        if count > 0 { return count }
      case .between:
        guard try beginMember() else { return 0 }
      }
    }
  }

  /// Unpacks some bytes; none where a member ends or more input is needed.
  private mutating func inflate(
    into buffer: UnsafeMutableRawBufferPointer
  ) throws(TraceError) -> Int {
    if next == end, try refill() == 0 {
      throw TraceError(
        .truncated, file: name, found: "the end of the file before the end of its gzip data",
        expected: "a whole file", help: "fetch the file again")
    }
    stream.pointee.next_in = bytes(packed, from: next)
    stream.pointee.avail_in = UInt32(end - next)
    stream.pointee.next_out = bytes(buffer, from: 0)
    stream.pointee.avail_out = UInt32(clamping: buffer.count)
    let offered = stream.pointee.avail_out
    let code = CZlib.inflate(stream, Z_NO_FLUSH)
    next = end - Int(stream.pointee.avail_in)
    guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else { throw damaged(code) }
    if code == Z_STREAM_END { state = .between }
    return Int(offered - stream.pointee.avail_out)
  }

  /// Goes to the next member; false at the end of the file.
  private mutating func beginMember() throws(TraceError) -> Bool {
    var isPadded = false
    while true {
      while next < end, packed[next] == 0 {
        next += 1
        isPadded = true
      }
      // A member's two magic bytes may lie on both sides of what was read.
      if end - next < 2, try fill() > 0 { continue }
      break
    }
    if next == end { return false }
    guard !isPadded, isAtMember else {
      throw TraceError(
        .damagedGzip, file: name, found: "bytes after the end of its gzip data",
        expected: "another gzip member, or nothing",
        help: "fetch the file again, or cut off what follows")
    }
    inflateReset(stream)
    state = .packed
    return true
  }

  private var isAtMember: Bool {
    end - next >= 2 && packed[next] == 0x1F && packed[next + 1] == 0x8B
  }

  private func bytes(
    _ buffer: UnsafeMutableRawBufferPointer, from offset: Int
  ) -> UnsafeMutablePointer<UInt8>? {
    buffer.baseAddress.map { ($0 + offset).assumingMemoryBound(to: UInt8.self) }
  }

  private func damaged(_ code: Int32) -> TraceError {
    TraceError(
      .damagedGzip, file: name, found: "gzip data that cannot be unpacked (zlib code \(code))",
      expected: "a whole file", help: "fetch the file again")
  }

  // MARK: The file

  /// Reads from the beginning of the buffer, which is used up; 0 at the end of the file.
  private mutating func refill() throws(TraceError) -> Int {
    (next, end) = (0, 0)
    return try fill()
  }

  /// Reads behind what is not used yet, which is moved to the front; 0 at the end of the file.
  private mutating func fill() throws(TraceError) -> Int {
    if next > 0 {
      packed.copyMemory(from: UnsafeRawBufferPointer(rebasing: packed[next..<end]))
      (next, end) = (0, end - next)
    }
    let free = UnsafeMutableRawBufferPointer(rebasing: packed[end...])
    let count = fread(free.baseAddress, 1, free.count, file)
    guard ferror(file) == 0 else {
      throw TraceError(
        .unreadable, file: name, found: "an error while reading", expected: "a readable file",
        help: "look at what it is, and at the disk")
    }
    end += count
    return count
  }
}

extension TraceFile {
  /// Size and hash of a file as it lies there.
  /// - Throws: `TraceError` for a file that is not there or cannot be read.
  init(path: String, name: String) throws(TraceError) {
    guard let handle = fopen(path, "rb") else {
      throw TraceError(
        .missingFile, file: name, found: "no file that can be opened", expected: "a trace",
        help: "look at the path, and at the directory that --data names")
    }
    defer { fclose(handle) }
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 8)
    defer { block.deallocate() }
    var hashes: [UInt64] = []
    var size = 0
    while true {
      let count = fread(block.baseAddress, 1, block.count, handle)
      if count == 0 { break }
      size += count
      hashes.append(XXH3.hash64(UnsafeRawBufferPointer(rebasing: block[..<count])))
    }
    guard ferror(handle) == 0 else {
      throw TraceError(
        .unreadable, file: name, found: "an error while reading", expected: "a readable file",
        help: "look at what it is, and at the disk")
    }
    self.init(name: name, bytes: size, hash: hashes.withUnsafeBytes { XXH3.hash64($0) })
  }
}
