import GRDB
import Glibc

/// A partial file beside a results file: of a command that is running, or of one that died.
public struct LeftoverFile: Sendable, Equatable {
  public var path: String
  /// Whether its writer is alive. If not, the file can be opened, or deleted.
  public var isInUse: Bool

  /// Partial files that would have become `path`, by name. Empty too when the folder cannot be
  /// read.
  public static func beside(_ path: String) -> [LeftoverFile] {
    let path = Destination.resolved(path)
    let folder = PartialFile.folder(of: path)
    let prefix = name(of: path) + PartialFile.marker
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      // Journals of partial files have a longer name, with letters.
      let rest = name.dropFirst(prefix.count)
      if name.hasPrefix(prefix), rest.allSatisfy({ $0.isNumber || $0 == "-" }) {
        names.append(name)
      }
    }
    let start = path.contains("/") ? (folder == "/" ? "/" : folder + "/") : ""
    return names.sorted().compactMap { name in
      let process = pid_t(name.dropFirst(prefix.count).prefix { $0.isNumber })
      return isInUse(start + name, process).map { LeftoverFile(path: start + name, isInUse: $0) }
    }
  }

  private static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  /// Nil: it has got its final name, or was removed, since the folder was read.
  private static func isInUse(_ path: String, _ process: pid_t?) -> Bool? {
    do {
      _ = try ResultDatabase.open(path)
      return false
    } catch {
      switch error.kind {
      case .locked: return true
      case .fileMissing: return nil
      default: return isBeingMade(path, process)
      }
    }
  }

  /// A writer makes its file a moment before it locks it; until then the file is empty, and only
  /// the process in its name tells.
  private static func isBeingMade(_ path: String, _ process: pid_t?) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0, status.st_size == 0, let process, process > 0 else {
      return false
    }
    return kill(process, 0) == 0 || errno == EPERM
  }
}
