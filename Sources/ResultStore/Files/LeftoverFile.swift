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
    return names.sorted().map { .init(path: start + $0, isInUse: isLocked(start + $0)) }
  }

  private static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  private static func isLocked(_ path: String) -> Bool {
    do {
      _ = try ResultDatabase.open(path)
      return false
    } catch {
      return error.kind == .locked
    }
  }
}
