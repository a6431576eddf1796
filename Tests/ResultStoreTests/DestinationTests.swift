import Foundation
import GRDB
import Testing

@testable import ResultStore

/// What `--force` may replace, and what it may not.
@Suite struct DestinationTests {
  let folder: TemporaryFolder
  let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("results.sqlite")
  }

  private func results(_ path: String, measures: Int = 0, force: Bool = false) throws {
    let writer = try ResultWriter(path: path, force: force)
    try writer.append(
      (0..<measures).map { MeasureRow(run: 1, name: "m\($0)", scope: "", value: 1) })
    try writer.finish()
  }

  private func refusal(force: Bool = true) -> StoreError? {
    #expect(throws: StoreError.self) { try ResultWriter(path: path, force: force) }
  }

  @Test func aFileOfAnotherKindStays() throws {
    for content in ["name: scenario\n", String(repeating: "x", count: 5000)] {
      try Data(content.utf8).write(to: URL(filePath: path))
      let error = refusal()
      #expect(error?.kind == .foreignFile && error?.exitClass == .inputOutput)
      #expect(FileManager.default.contents(atPath: path) == Data(content.utf8))
    }
    #expect(folder.names == ["results.sqlite"])
  }

  @Test func anotherProgramsDatabaseStays() throws {
    let database = try DatabaseQueue(path: path)
    try database.write { try $0.execute(sql: "CREATE TABLE precious (id INTEGER)") }
    try database.close()
    #expect(refusal()?.kind == .foreignFile)
    #expect(folder.names == ["results.sqlite"])
  }

  @Test func resultsOfAnyVersionAndEmptyFilesAreReplaced() throws {
    try results(path)
    let database = try DatabaseQueue(path: path)
    try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 99") }
    try database.close()
    try results(path, measures: 3, force: true)
    #expect(try ResultReader(path: path).rows(MeasureRow.self).count == 3)
    try Data().write(to: URL(filePath: path))
    try results(path, measures: 2, force: true)
    #expect(try ResultReader(path: path).rows(MeasureRow.self).count == 2)
  }

  @Test func aPipeIsRefused() throws {
    #expect(mkfifo(path, 0o600) == 0)
    for force in [false, true] { #expect(refusal(force: force)?.kind == .notAFile) }
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
  }

  @Test(arguments: ["target.sqlite", "sub/target.sqlite"])
  func aLinkStaysAndItsTargetIsReplaced(_ target: String) throws {
    try FileManager.default.createDirectory(
      atPath: folder.file("sub"), withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    try results(path, measures: 1)
    #expect(try ResultReader(path: folder.file(target)).rows(MeasureRow.self).count == 1)
    #expect(refusal(force: false)?.kind == .fileExists)
    try results(path, measures: 2, force: true)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == target)
    #expect(try ResultReader(path: folder.file(target)).rows(MeasureRow.self).count == 2)
    try Data("precious".utf8).write(to: URL(filePath: folder.file(target)))
    #expect(refusal()?.kind == .foreignFile)
  }

  @Test func whatTakesTheNameMeanwhileStays() throws {
    try results(path)
    let writer = try ResultWriter(path: path, force: true)
    try Data("precious".utf8).write(to: URL(filePath: path))
    let error = #expect(throws: StoreError.self) { try writer.finish() }
    #expect(error?.kind == .foreignFile && error?.help.contains(writer.partialPath) == true)
    writer.abandon()
    #expect(FileManager.default.contents(atPath: path) == Data("precious".utf8))
    #expect(try ResultReader(path: writer.partialPath).runs().isEmpty)
  }

  @Test func aFullDiskThatKeepsNothingSaysNothing() throws {
    let writer = try ResultWriter(path: path, maximumPages: 300)
    let long = String(repeating: "x", count: 1000)
    let error = #expect(throws: StoreError.self) {
      try writer.append(
        (0..<5000).map { MeasureRow(run: 2, name: "m\($0)", scope: long, value: 1) })
    }
    #expect(error?.kind == .diskFull && error?.help.contains("kept") == false)
    writer.abandon()
    #expect(folder.names.isEmpty)
  }

  /// A writer makes its file before it locks it: as long as the process in its name lives, an empty
  /// one is not left over.
  @Test func aFileThatIsBeingMadeIsInUse() throws {
    let marker = path + PartialFile.marker
    try Data().write(to: URL(filePath: marker + "\(getpid())-7"))
    // No process has the greatest number (Linux: at most 2^22).
    try Data().write(to: URL(filePath: marker + "2147483647"))
    let inUse = LeftoverFile.beside(path).filter(\.isInUse).map(\.path)
    #expect(inUse == [marker + "\(getpid())-7"])
    #expect(LeftoverFile.beside(path).count == 2)
  }

  @Test func aMissingTableIsDamage() throws {
    let writer = try ResultWriter(path: path)
    try writer.append(StudyRow(id: 1, command: "run"))
    try writer.append(ScenarioRow(id: 1, name: "s", file: "s", text: "", resolved: ""))
    try writer.finish()
    #expect(try StoredStudy(path: path).runs.isEmpty)
    let database = try DatabaseQueue(path: path)
    try database.write { try $0.execute(sql: "DROP TABLE runs") }
    try database.close()
    let error = #expect(throws: StoreError.self) { try StoredStudy(path: path) }
    #expect(error?.kind == .damaged && error?.exitClass == .badInput)
  }
}
