import CZlib
import Foundation
import Testing
import Workload

/// The folder of real traces: beside the checkout, or where HEADROOM_TRACES says.
enum RealTraces {
  static let folder: String = {
    if let named = ProcessInfo.processInfo.environment["HEADROOM_TRACES"] { return named }
    return URL(fileURLWithPath: #filePath).appending(path: "../../../../shared/traces")
      .standardizedFileURL.path
  }()

  static var areThere: Bool { FileManager.default.fileExists(atPath: folder + "/azure2019") }

  static let word: Comment = "the real traces are not here; HEADROOM_TRACES names their folder"

  static func read(_ file: String, _ change: (inout TraceRequest) -> Void = { _ in }) throws
    -> Trace
  {
    var request = TraceRequest(file: file)
    change(&request)
    return try TraceReader(directory: folder).read(request)
  }
}

/// A folder of files that a test writes, gone at the end.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "headroom-trace-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, to name: String) throws { try write(Data(text.utf8), to: name) }

  func write(_ data: Data, to name: String) throws {
    try data.write(to: URL(fileURLWithPath: path + "/" + name))
  }

  /// The text, packed.
  func pack(_ text: String, to name: String) throws {
    let file = try #require(gzopen(path + "/" + name, "wb"))
    var bytes = Array(text.utf8)
    gzwrite(file, &bytes, UInt32(bytes.count))
    gzclose(file)
  }

  func bytes(of name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path + "/" + name))
  }

  var reader: TraceReader { TraceReader(directory: path) }
}
