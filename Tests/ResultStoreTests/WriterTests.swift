import Foundation
import Primitives
import Testing

@testable import ResultStore

@Suite struct WriterTests {
  @Test func nothingHasTheFinalNameBeforeTheEnd() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("results.sqlite")
    let writer = try ResultWriter(path: path)
    try writer.append(StudyRow(id: 1, command: "run"))
    #expect(folder.names.allSatisfy { $0.hasPrefix("results.sqlite.partial-") })
    try writer.finish()
    #expect(folder.names == ["results.sqlite"])
  }
}
