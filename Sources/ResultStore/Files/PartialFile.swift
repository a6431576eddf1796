import Glibc

/// The temporary file beside a results file while it is written. It has the final name plus
/// `.partial-` and the writer's process number, so it lies on the same file system, and becomes the
/// results by one rename once it is on the disk.
struct PartialFile: Sendable {
  let finalPath: String
  let path: String
  private let kind: Destination.Kind

  /// Makes an empty partial file that no other process has.
  /// - Throws: what `Destination.checkFree` does, `folderMissing`, `noPermission`, `diskFull` or
  ///   `inputOutput`.
  init(
    for name: String, force: Bool, kind: Destination.Kind = .results
  ) throws(StoreError) {
    try Destination.checkFree(name, force: force, kind: kind)
    let finalPath = Destination.resolved(name)
    var path = ""
    var descriptor: Int32 = -1
    for attempt in 0..<100 {
      path = finalPath + "\(PartialFile.marker)\(getpid())" + (attempt == 0 ? "" : "-\(attempt)")
      descriptor = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o644)
      if descriptor >= 0 || errno != EEXIST { break }
    }
    guard descriptor >= 0 else { throw .creating(finalPath, errno) }
    close(descriptor)
    self.finalPath = finalPath
    self.path = path
    self.kind = kind
  }

  static let marker = ".partial-"

  /// Forces the bytes to the disk and gives the file its final name. Without `force`, a file that
  /// has taken that name meanwhile stays, and the partial file too.
  func publish(force: Bool) throws(StoreError) {
    try PartialFile.synchronise(path)
    if force {
      try Destination.checkFree(finalPath, force: true, kind: kind)
      guard rename(path, finalPath) == 0 else { throw .creating(finalPath, errno) }
    } else if link(path, finalPath) == 0 {
      // A second name, made only if it is free; then the first is dropped.
      unlink(path)
    } else if errno == EEXIST {
      throw .exists(finalPath)
    } else {
      // A file system without second names: the check before the rename has a small gap.
      try Destination.checkFree(finalPath, force: false, kind: kind)
      guard rename(path, finalPath) == 0 else { throw .creating(finalPath, errno) }
    }
    try PartialFile.synchronise(folder)
  }

  /// Whether it still has its own name: it is not published, nor removed.
  var isThere: Bool { access(path, F_OK) == 0 }

  func remove() {
    unlink(path)
    unlink(path + "-journal")
  }

  private var folder: String { PartialFile.folder(of: finalPath) }

  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func synchronise(_ path: String) throws(StoreError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .creating(path, errno) }
    defer { close(descriptor) }
    // Some file systems cannot do it for folders and say EINVAL.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw .creating(path, errno) }
  }
}
