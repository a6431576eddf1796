import CZlib
import Glibc
import Primitives

/// Bytes of a file, unpacked if it is packed by gzip; its first bytes decide, not its name.
///
/// zlib itself reads a packed file that ends too early up to where it ends, so the end is looked
/// at: a file is whole only where zlib has seen the check sum.
struct GzipInput: ~Copyable {
  private let handle: gzFile
  private let name: String

  /// - Throws: `TraceError` for a file that is not there or cannot be read.
  init(path: String, name: String) throws(TraceError) {
    self.name = name
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw TraceError(
        .missingFile, file: name, found: "no such file", expected: "a trace",
        help: "look at the path, and at the directory that --data names")
    }
    guard status.st_mode & S_IFMT != S_IFDIR, let opened = gzopen(path, "rb") else {
      throw TraceError(
        .unreadable, file: name, found: "something that cannot be opened",
        expected: "a readable file", help: "look at what it is, and at its permissions")
    }
    handle = opened
    gzbuffer(handle, 1 << 17)
  }

  deinit { gzclose_r(handle) }

  /// Fills a part of the buffer; 0 at the end.
  /// - Throws: `TraceError` where the file is damaged or ends too early.
  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int {
    let count = gzread(handle, buffer.baseAddress, UInt32(clamping: buffer.count))
    var code: Int32 = Z_OK
    _ = gzerror(handle, &code)
    if code == Z_BUF_ERROR {
      throw TraceError(
        .truncated, file: name, found: "the end of the file before the end of its gzip data",
        expected: "a whole file", help: "fetch the file again")
    }
    if count < 0 || (code != Z_OK && code != Z_STREAM_END) {
      throw TraceError(
        .damagedGzip, file: name, found: "gzip data that cannot be unpacked (zlib code \(code))",
        expected: "a whole file", help: "fetch the file again")
    }
    return Int(count)
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
