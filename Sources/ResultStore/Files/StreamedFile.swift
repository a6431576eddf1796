import Glibc

/// A text that is written piece by piece, under a temporary name until it is whole: a command that
/// dies leaves nothing under the final name.
public final class StreamedFile {
  private let partial: PartialFile
  private let force: Bool
  private var descriptor: Int32
  private var buffer: [UInt8] = []
  private static let bufferSize = 1 << 16

  /// - Parameters:
  ///   - path: the final name.
  ///   - beginning: how every file of this kind begins; `force` replaces no other.
  /// - Throws: `StoreError`, as `ResultWriter` does.
  public init(path: String, force: Bool, beginning: String) throws(StoreError) {
    self.force = force
    partial = try PartialFile(for: path, force: force, kind: .beginning(beginning))
    descriptor = open(partial.path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let code = errno
      partial.remove()
      throw .creating(path, code)
    }
    buffer.reserveCapacity(2 * Self.bufferSize)
  }

  deinit {
    if descriptor >= 0 { abandon() }
  }

  /// - Throws: `StoreError` when the disk is full or fails.
  public func write(_ text: String) throws(StoreError) {
    buffer.append(contentsOf: text.utf8)
    if buffer.count >= Self.bufferSize { try flush() }
  }

  private func flush() throws(StoreError) {
    var done = 0
    while done < buffer.count {
      let count = buffer.withUnsafeBytes { bytes in
        Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .creating(partial.finalPath, count < 0 ? errno : EIO) }
      done += count
    }
    buffer.removeAll(keepingCapacity: true)
  }

  /// The text is whole: it is forced to the disk and gets its name.
  /// - Throws: `StoreError`; the temporary file is removed.
  public func publish() throws(StoreError) {
    do {
      try flush()
      close(descriptor)
      descriptor = -1
      try partial.publish(force: force)
    } catch {
      abandon()
      throw error
    }
  }

  /// Nothing comes of it.
  public func abandon() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
    if partial.isThere { partial.remove() }
  }
}
