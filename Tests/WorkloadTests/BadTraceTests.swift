import Foundation
import Testing
import Workload

/// Files that are wrong: each has its id and its place, and none stops the program.
@Suite struct BadTraceTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var text: String
    var kind: TraceError.Kind
    var line: Int
    var column: String?
    var format: TraceFormat?

    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "empty", text: "", kind: .empty, line: 0),
    Case(name: "header only", text: "app,1,2\n", kind: .empty, line: 1),
    Case(name: "unknown form", text: "x,y\n1,2\n", kind: .unknownFormat, line: 1),
    Case(
      name: "missing column", text: "app,func,duration\n", kind: .missingColumn, line: 1,
      column: "end_timestamp", format: .azure2021),
    Case(
      name: "missing minute", text: "app,1,3\na,1,1\n", kind: .missingColumn, line: 1, column: "1",
      format: .minutes),
    Case(name: "short row", text: "app,1,2\na,1\n", kind: .fieldCount, line: 2),
    Case(
      name: "negative", text: "app,1,2\na,1,1\nb,-4,1\n", kind: .badNumber, line: 3,
      column: "1"),
    Case(
      name: "absurd", text: "app,1,2\na,1,99999999999999999999\n", kind: .outOfRange, line: 2,
      column: "2"),
    Case(name: "not a number", text: "app,1,2\na,nan,1\n", kind: .badNumber, line: 2, column: "1"),
    Case(name: "fraction", text: "app,1,2\na,1.5,1\n", kind: .badNumber, line: 2, column: "1"),
    Case(name: "twice", text: "app,1,2\na,1,1\na,1,1\n", kind: .duplicate, line: 3, column: "app"),
    Case(
      name: "block twice", text: "app,block,invocations\na,1,1\na,1,2\n", kind: .duplicate, line: 3,
      column: "block"),
    Case(
      name: "infinite time", text: "timestamp,service\ninf,a\n", kind: .badNumber, line: 2,
      column: "timestamp"),
    Case(
      name: "no date", text: "timestamp,service\n2024-13-01 00:00:00,a\n", kind: .badTime, line: 2,
      column: "timestamp"),
    Case(
      name: "no such day", text: "timestamp\n2024-02-29 00:00:00\n2023-02-30 00:00:00\n",
      kind: .badTime, line: 3, column: "timestamp"),
    Case(
      name: "no leap year", text: "timestamp\n1900-02-29 00:00:00\n", kind: .badTime, line: 2,
      column: "timestamp"),
    Case(
      name: "column twice", text: "timestamp,service,timestamp\n1,a,2\n", kind: .duplicate,
      line: 1, column: "timestamp"),
    Case(
      name: "minute twice", text: "app,1,2,2\na,1,2,3\n", kind: .duplicate, line: 1,
      column: "2"),
    Case(
      name: "negative duration", text: "app,func,end_timestamp,duration\na,f,1,-2\n",
      kind: .outOfRange, line: 2, column: "duration"),
    Case(
      name: "no name", text: "app,1,2\n,1,1\n", kind: .badNumber, line: 2, column: "app"),
  ]

  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func error(_ file: String, format: TraceFormat? = nil) throws -> TraceError {
    var request = TraceRequest(file: file)
    request.format = format
    let failure = #expect(throws: TraceFailure.self) { try folder.reader.read(request) }
    return try #require(failure?.errors.first)
  }

  @Test(arguments: cases) func hasItsPlace(_ item: Case) throws {
    try folder.write(item.text, to: "bad.csv")
    let error = try error("bad.csv", format: item.format)
    #expect(error.kind == item.kind)
    #expect(error.line == item.line)
    #expect(error.column == item.column)
    #expect(error.file == "bad.csv")
    #expect(!error.found.isEmpty && !error.expected.isEmpty && !error.help.isEmpty)
  }

  @Test func isNotThere() throws {
    let error = try error("nowhere.csv")
    #expect(error.kind == .missingFile)
    #expect(error.isMissing)
  }

  @Test func isADirectory() throws {
    try FileManager.default.createDirectory(
      atPath: folder.path + "/d", withIntermediateDirectories: false)
    #expect(try error("d").kind == .unreadable)
  }

  @Test func gzipEndsTooEarly() throws {
    let rows = (0..<2000).map { "s\($0),\($0 &* 7919 % 1000),\($0 &* 104_729 % 777)" }
    try folder.pack("app,1,2\n" + rows.joined(separator: "\n") + "\n", to: "whole.csv.gz")
    let whole = try folder.bytes(of: "whole.csv.gz")
    #expect(try folder.reader.read(TraceRequest(file: "whole.csv.gz")).services.count == 2000)
    for share in [0.3, 0.6, 0.9, 0.999] {
      try folder.write(whole.prefix(Int(Double(whole.count) * share)), to: "cut.csv.gz")
      #expect(try error("cut.csv.gz").kind == .truncated)
    }
    var damaged = whole
    for index in 200..<260 { damaged[index] ^= 0x5A }
    try folder.write(damaged, to: "damaged.csv.gz")
    let kind = try error("damaged.csv.gz").kind
    #expect(kind == .damagedGzip || kind == .truncated)
  }

  /// Members one after another are one file, and zeros may fill it up; nothing else may follow.
  @Test func whatFollowsGzipData() throws {
    try folder.pack("app,1,2\na,1,2\n", to: "one.gz")
    try folder.pack("b,3,4\n", to: "two.gz")
    let (one, two) = (try folder.bytes(of: "one.gz"), try folder.bytes(of: "two.gz"))
    let zeros = Data(repeating: 0, count: 300_000)
    for whole in [one + two, one + two + zeros] {
      try folder.write(whole, to: "both.gz")
      let trace = try folder.reader.read(TraceRequest(file: "both.gz"))
      #expect(trace.services.map(\.name) == ["a", "b"])
      #expect(trace.invocations == 10)
    }
    for more in [Data("x".utf8), Data("b,3,4\n".utf8), zeros + two, Data([0x1F]), Data([0x1F, 0])] {
      try folder.write(one + more, to: "more.gz")
      #expect(try error("more.gz").kind == .damagedGzip)
    }
    try folder.write(one + two.dropLast(4), to: "short.gz")
    #expect(try error("short.gz").kind == .truncated)
    try folder.write(one + two.prefix(2), to: "begun.gz")
    #expect(try error("begun.gz").kind == .truncated)
  }

  @Test func isAPipe() throws {
    #expect(mkfifo(folder.path + "/pipe", 0o600) == 0)
    #expect(try error("pipe").kind == .unreadable)
  }

  @Test func aLineWithoutEnd() throws {
    let text = "app,1,2\n" + String(repeating: "9", count: 3 << 20)
    try folder.write(text, to: "long.csv")
    let error = try error("long.csv")
    #expect(error.kind == .lineTooLong)
    #expect(error.line == 2)
    try folder.pack(text, to: "long.csv.gz")
    #expect(try self.error("long.csv.gz").kind == .lineTooLong)
  }

  @Test func isNotText() throws {
    try folder.write(Data([0xFF, 0xFE, 0x00, 0x0A]), to: "binary")
    #expect(try error("binary").kind == .encoding)
    try folder.write(
      Data("app,1,2\n".utf8) + Data([0xFF, 0xC0]) + Data(",1,1\n".utf8), to: "name.csv")
    let error = try error("name.csv")
    #expect(error.kind == .encoding)
    #expect(error.line == 2)
  }

  /// One error a kind, with the place of the first and the number of the others.
  @Test func errorsOfAKindAreTold() throws {
    let rows = (0..<100).map { "s\($0),x,\($0 == 50 ? "9999999999" : "0.25")" } + ["s1,1,1", "a,1"]
    try folder.write("app,1,2\n" + rows.joined(separator: "\n"), to: "many.csv")
    let failure = try #require(
      #expect(throws: TraceFailure.self) {
        try folder.reader.read(TraceRequest(file: "many.csv"))
      })
    #expect(failure.total == 202)
    #expect(failure.errors.map(\.kind) == [.badNumber, .outOfRange, .duplicate, .fieldCount])
    #expect(failure.errors.map(\.line) == [2, 52, 102, 103])
    #expect(failure.errors.map(\.more) == [198, 0, 0, 0])
    #expect(failure.description.contains("and 198 more like it"))
  }

  /// A series of which nobody says what it measures is not taken for a list of requests.
  @Test func aSeriesMustBeDeclared() throws {
    try folder.write("timestamp,value\n2024-01-01 00:00:00,5\n2024-01-01 00:05:00,7\n", to: "s.csv")
    let undeclared = try error("s.csv")
    #expect(undeclared.kind == .unknownFormat && undeclared.help.contains("series"))
    try folder.write("timestamp,value\n10,1.5\n20,2\n30,0.1\n", to: "f.csv")
    let fractions = try error("f.csv", format: .series)
    #expect(fractions.kind == .badNumber && fractions.line == 2 && fractions.more == 1)
    try folder.write("timestamp,value\n10,1\n20,2\n20,3\n", to: "d.csv")
    #expect(try error("d.csv", format: .series).kind == .badTime)
    try folder.write("timestamp,value\n10,1\n12,2\n15,3\n", to: "g.csv")
    #expect(try error("g.csv", format: .series).kind == .badTime)
    try folder.write("timestamp,value\n10,1\n", to: "o.csv")
    #expect(try error("o.csv", format: .series).kind == .empty)
  }

  @Test func aBlockNumberMakesNoEndlessMatrix() throws {
    let rows = (0..<4000).map { "s\($0),0,1" } + ["s0,80000,1"]
    try folder.write("app,block,invocations\n" + rows.joined(separator: "\n"), to: "b.csv")
    #expect(try error("b.csv").kind == .outOfRange)
    try folder.write("app,block,invocations\na,1.5,1\n", to: "h.csv")
    #expect(try error("h.csv").kind == .badNumber)
  }

  @Test func moreColdStartsThanInvocations() throws {
    try folder.write("app,block,invocations,cold_starts\na,0,2,2\na,1,2,3\n", to: "c.csv")
    let error = try error("c.csv")
    #expect(error.kind == .outOfRange && error.line == 3 && error.column == "cold_starts")
  }

  /// Any bytes give a trace or errors.
  @Test func mutationsNeverStopTheProgram() throws {
    let text =
      "HashOwner,HashApp,HashFunction,Trigger,1,2,3\no,p,f,queue,3,4,0\no,p,g,timer,1,1,1\n"
    var state: UInt64 = 7
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    var refused = 0
    for _ in 0..<1500 {
      var bytes = Array(text.utf8)
      for _ in 0...random(4) {
        switch random(3) {
        case 0: bytes[random(bytes.count)] = UInt8(random(256))
        case 1: bytes.remove(at: random(bytes.count))
        default: bytes.insert(UInt8(random(256)), at: random(bytes.count))
        }
      }
      try folder.write(Data(bytes), to: "fuzz.csv")
      do {
        _ = try folder.reader.read(TraceRequest(file: "fuzz.csv"))
      } catch {
        refused += 1
        #expect(!error.errors.isEmpty)
      }
    }
    #expect(refused > 300)
  }
}
