import Foundation
import Primitives
import Testing

@testable import ResultStore

@Suite struct KillTests {
  /// A command that is killed in the middle leaves what it had saved, under a name that tells.
  @Test func whatWasSavedOutlivesTheProcess() async throws {
    let folder = try TemporaryFolder()
    let path = folder.file("results.sqlite")
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let writer = try ResultWriter(path: path)
      try writer.append(StudyRow(id: 1, command: "run"))
      try writer.append(RunRow(id: 1, study: 1, scenario: 1, seed: "7"))
      try writer.append((0..<1000).map { CacheRow(run: 1, zone: "z\($0)", level: "node") })
      try writer.checkpoint()
      // More than the cache holds, so that half a transaction is in the file when it ends.
      for index in 0..<90 {
        var row = HistogramRow(run: 1, scope: "all", measure: "m\(index)")
        row.data = [UInt8](repeating: 1, count: 1 << 20)
        try writer.append(row)
      }
      kill(getpid(), SIGKILL)
    }
    #expect(!FileManager.default.fileExists(atPath: path))
    let leftovers = LeftoverFile.beside(path)
    try #require(leftovers.count == 1)
    #expect(!leftovers[0].isInUse)
    let reader = try ResultReader(path: leftovers[0].path)
    #expect(try reader.rows(CacheRow.self).count == 1000)
    #expect(try reader.rows(HistogramRow.self).isEmpty)
    #expect(try reader.runs().map(\.status) == [.running])
    // The next command has its own file.
    let next = try ResultWriter(path: path)
    try next.finish()
    #expect(try ResultReader(path: path).runs().isEmpty)
    #expect(LeftoverFile.beside(path) == leftovers)
  }
}
