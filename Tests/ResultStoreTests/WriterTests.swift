import Foundation
import GRDB
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

  @Test func anExistingFileIsNotReplacedWithoutForce() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("results.sqlite")
    try ResultWriter(path: path).finish()
    let before = FileManager.default.contents(atPath: path)
    let error = #expect(throws: StoreError.self) { try ResultWriter(path: path) }
    #expect(error?.kind == .fileExists && error?.exitClass == .inputOutput)
    #expect(folder.names == ["results.sqlite"])
    let writer = try ResultWriter(path: path, force: true)
    #expect(FileManager.default.contents(atPath: path) == before)
    try writer.append(StudyRow(id: 1, command: "run"))
    try writer.finish()
    #expect(try ResultReader(path: path).rows(StudyRow.self).count == 1)
  }

  @Test func aNameTakenMeanwhileKeepsBothFiles() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("results.sqlite")
    let writer = try ResultWriter(path: path)
    try writer.append(MeasureRow(run: 1, name: "m", scope: "", value: 1))
    try Data("precious".utf8).write(to: URL(filePath: path))
    let error = #expect(throws: StoreError.self) { try writer.finish() }
    #expect(error?.kind == .fileExists && error?.help.contains(writer.partialPath) == true)
    // Giving up afterwards does not take the results away.
    writer.abandon()
    #expect(FileManager.default.contents(atPath: path) == Data("precious".utf8))
    #expect(try ResultReader(path: writer.partialPath).rows(MeasureRow.self).count == 1)
  }

  @Test func interruptedRunsAreMarked() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("results.sqlite")
    let writer = try ResultWriter(path: path)
    try writer.append(StudyRow(id: 1, command: "run"))
    for id in 1...2 { try writer.append(RunRow(id: id, study: 1, scenario: 1, seed: "1")) }
    var first = RunRow(id: 1, study: 1, scenario: 1, seed: "1")
    first.status = .complete
    try writer.replace(first)
    try writer.finish(.interrupted)
    let reader = try ResultReader(path: path)
    #expect(try reader.runs().map(\.status) == [.complete, .interrupted])
    #expect(try reader.rows(StudyRow.self).map(\.status) == [.interrupted])
  }

  @Test func abandoningLeavesNothing() throws {
    let folder = try TemporaryFolder()
    let writer = try ResultWriter(path: folder.file("results.sqlite"))
    try writer.append(MeasureRow(run: 1, name: "m", scope: "", value: 1))
    writer.abandon()
    #expect(folder.names.isEmpty)
    let error = #expect(throws: StoreError.self) { try writer.checkpoint() }
    #expect(error?.kind == .alreadyClosed)
  }

  @Test func twoWritersOfOneNameDoNotMeet() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("results.sqlite")
    let (one, two) = (try ResultWriter(path: path), try ResultWriter(path: path))
    #expect(one.partialPath != two.partialPath)
    try one.append(MeasureRow(run: 1, name: "m", scope: "", value: 1))
    try two.append(MeasureRow(run: 1, name: "m", scope: "", value: 2))
    try one.finish()
    let error = #expect(throws: StoreError.self) { try two.finish() }
    #expect(error?.kind == .fileExists)
    #expect(try ResultReader(path: path).rows(MeasureRow.self).map(\.value) == [1])
  }

  @Test func aFullDiskKeepsWhatWasSaved() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("results.sqlite")
    let writer = try ResultWriter(path: path, maximumPages: 300)
    try writer.append((0..<100).map { MeasureRow(run: 1, name: "m\($0)", scope: "", value: 1) })
    try writer.checkpoint()
    let long = String(repeating: "x", count: 1000)
    let error = #expect(throws: StoreError.self) {
      try writer.append(
        (0..<5000).map { MeasureRow(run: 2, name: "m\($0)", scope: long, value: 1) })
    }
    #expect(error?.kind == .diskFull && error?.table == "measures")
    #expect(error?.exitClass == .inputOutput && error?.help.contains(writer.partialPath) == true)
    // It stays full, and the name is not given to half of the results.
    let again = #expect(throws: StoreError.self) { try writer.finish() }
    #expect(again == error)
    writer.abandon()
    #expect(!FileManager.default.fileExists(atPath: path))
    let reader = try ResultReader(path: writer.partialPath)
    #expect(try reader.rows(MeasureRow.self, of: 1).count == 100)
    #expect(try reader.rows(MeasureRow.self, of: 2).isEmpty)
  }

  @Test func aFileInUseIsSaidToBe() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("results.sqlite")
    let writer = try ResultWriter(path: path)
    #expect(LeftoverFile.beside(path) == [.init(path: writer.partialPath, isInUse: true)])
    let error = #expect(throws: StoreError.self) { try ResultReader(path: writer.partialPath) }
    #expect(error?.kind == .locked)
    try writer.finish()
    #expect(LeftoverFile.beside(path).isEmpty)
  }

  @Test func placesThatCannotBeWrittenAreNamed() throws {
    let folder = try TemporaryFolder()
    try Data().write(to: URL(filePath: folder.file("plain")))
    let places: [(String, StoreError.Kind)] = [
      (folder.path, .isDirectory), (folder.file("absent/results.sqlite"), .folderMissing),
      (folder.file("plain/results.sqlite"), .folderMissing),
    ]
    for (path, kind) in places {
      let error = #expect(throws: StoreError.self) { try ResultWriter(path: path) }
      #expect(error?.kind == kind && error?.path == path, "\(path)")
      #expect(error?.exitClass == .inputOutput)
    }
    #expect(folder.names == ["plain"])
  }

  /// Whoever runs the tests may be root, whom no permission stops: the translation is tested.
  @Test(arguments: [
    (EACCES, StoreError.Kind.noPermission), (EPERM, .noPermission), (EROFS, .noPermission),
    (ENOSPC, .diskFull), (EDQUOT, .diskFull), (ENOENT, .folderMissing), (EISDIR, .isDirectory),
    (EIO, .inputOutput),
  ])
  func systemErrorsAreTranslated(_ code: Int32, _ kind: StoreError.Kind) {
    let error = StoreError.creating("a/b.sqlite", code)
    #expect(error.kind == kind)
    #expect(error.description.contains("a/b.sqlite") && error.description.contains(kind.rawValue))
  }

  @Test func numbersOfErrorsAreUnique() {
    let numbers = StoreError.Kind.allCases.map(\.rawValue)
    #expect(Set(numbers).count == numbers.count)
    #expect(numbers.allSatisfy { $0.hasPrefix("HR2") && $0.count == 6 })
  }
}
