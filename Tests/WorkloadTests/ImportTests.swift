import Foundation
import Testing
import Workload

/// Every form, from a few rows whose meaning can be read off.
@Suite struct ImportTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [false, true]) func minutes(isPacked: Bool) throws {
    let text = "app,1,2,3\nb,0,4,1\na,7,0,0\n"
    if isPacked { try folder.pack(text, to: "m.csv") } else { try folder.write(text, to: "m.csv") }
    let trace = try folder.reader.read(TraceRequest(file: "m.csv"))
    #expect(trace.format == .minutes)
    #expect(trace.services.map(\.name) == ["b", "a"])
    #expect(counts(trace.services[0]) == [0, 4, 1])
    #expect(trace.lengthSeconds == 180)
    #expect(trace.rows == 2)
    #expect(trace.invocations == 12)
    #expect(trace.files.map(\.name) == ["m.csv"])
  }

  /// Five-minute intervals with one left out, in numbers that are written with a point.
  @Test(arguments: [",", "|", ";"]) func series(separator: String) throws {
    let rows = [
      "timestamp,value", "2024-01-01 00:02:00,5", "2024-01-01 00:07:00,7.0",
      "2024-01-01 00:17:00,1",
    ]
    let text = rows.joined(separator: "\n").replacing(",", with: separator)
    try folder.write(text, to: "s.csv")
    var request = TraceRequest(file: "s.csv")
    request.format = .series
    let trace = try folder.reader.read(request)
    let service = try #require(trace.services.first)
    #expect(service.name == "value")
    guard case .counts(let counts, let seconds) = service.demand else {
      Issue.record("no counts")
      return
    }
    #expect(counts == [5, 7, 0, 1])
    #expect(seconds == 300)
    #expect(trace.missingIntervals == 1)
    #expect(trace.lengthSeconds == 1200)
  }

  @Test func publishedColdStarts() throws {
    try folder.write(
      "app,block,invocations,cold_starts_5min,mem\na,0,10,3,1.5\na,2,5,1,1\nb,1,7,2,0\n",
      to: "b.csv")
    var request = TraceRequest(file: "b.csv")
    request.blockSeconds = 60
    let trace = try folder.reader.read(request)
    func cold(_ invocations: UInt64, _ count: UInt64) -> PublishedColdStarts {
      PublishedColdStarts(column: "cold_starts_5min", invocations: invocations, coldStarts: count)
    }
    #expect(trace.publishedColdStarts() == cold(22, 6))
    #expect(trace.publishedColdStarts(in: 0..<60) == cold(10, 3))
    #expect(trace.publishedColdStarts(in: 60..<180) == cold(12, 3))
    #expect(trace.publishedColdStarts(in: 60..<999_960) == cold(12, 3))
    #expect(trace.publishedColdStarts(in: 30..<90) == nil)
    try folder.write("app,block,invocations\na,0,10\n", to: "n.csv")
    #expect(try folder.reader.read(TraceRequest(file: "n.csv")).publishedColdStarts() == nil)
  }

  @Test func azure2019WithDurationsAndMemory() throws {
    try folder.write("HashOwner,HashApp,HashFunction,Trigger,1,2\no,p,f,queue,3,4\n", to: "i.csv")
    try folder.write(
      "HashOwner,HashApp,HashFunction,Average,percentile_Average_0,percentile_Average_50,"
        + "percentile_Average_100\no,p,f,10,100,200.5,100.0\n", to: "d.csv")
    try folder.write(
      "HashOwner,HashApp,SampleCount,AverageAllocatedMb_pct1,AverageAllocatedMb_pct50,"
        + "AverageAllocatedMb_pct100\no,p,3,120,160,200\n", to: "m.csv")
    var request = TraceRequest(file: "i.csv")
    request.durationsFile = "d.csv"
    request.memoryFile = "m.csv"
    let trace = try folder.reader.read(request)
    let service = try #require(trace.services.first)
    #expect(trace.format == .azure2019)
    #expect(service.app == "p")
    #expect(service.trigger == "queue")
    #expect(counts(service) == [3, 4])
    // A quantile below the one before it is raised to it.
    #expect(
      service.duration == TraceQuantiles(shares: [0, 0.5, 1], values: [0.1, 0.2005, 0.2005]))
    #expect(
      service.memoryMiB == TraceQuantiles(shares: [0, 0.01, 0.5, 1], values: [120, 120, 160, 200]))
    #expect(trace.files.count == 3)
  }

  @Test func azure2021CountsStartsBeforeTheOrigin() throws {
    try folder.write(
      "app,func,end_timestamp,duration\np,g,10.5,0.5\np,f,1,3\np,f,2,2.5\n", to: "a.csv")
    let trace = try folder.reader.read(TraceRequest(file: "a.csv"))
    #expect(trace.format == .azure2021)
    #expect(trace.shiftedRows == 2)
    #expect(trace.originShift == 2_000_000_000)
    #expect(trace.services.map(\.name) == ["f", "g"] || trace.services.map(\.name) == ["g", "f"])
    let f = try #require(trace.services.first { $0.name == "f" })
    #expect(points(f).map(\.nanoseconds) == [0, 1_500_000_000])
    #expect(points(f).map(\.serviceNanoseconds) == [3_000_000_000, 2_500_000_000])
    #expect(points(f).map(\.ordinal) == [0, 1])
    let g = try #require(trace.services.first { $0.name == "g" })
    #expect(points(g).map(\.nanoseconds) == [12_000_000_000])
  }

  @Test func requestsByColumnNames() throws {
    try folder.write("who,when,took\nb,1700,20\na,1500,10\nb,1600,5\n", to: "r.csv")
    var request = TraceRequest(file: "r.csv")
    request.format = .requests
    request.columns.time = "when"
    request.columns.service = "who"
    request.columns.duration = "took"
    request.timeUnit = 1_000_000
    request.durationUnit = 1_000
    var trace = try folder.reader.read(request)
    let b = try #require(trace.services.first { $0.name == "b" })
    #expect(points(b).map(\.nanoseconds) == [1_600_000_000, 1_700_000_000])
    #expect(points(b).map(\.serviceNanoseconds) == [5_000, 20_000])
    #expect(trace.lengthSeconds == 2)
    request.origin = .first
    trace = try folder.reader.read(request)
    let a = try #require(trace.services.first { $0.name == "a" })
    #expect(points(a).map(\.nanoseconds) == [0])
    #expect(trace.originShift == -1_500_000_000)
  }

  @Test func datesBeginAtTheFirst() throws {
    try folder.write(
      "TIMESTAMP,Tokens\n2024-02-29 23:59:59.5000000,4\n2024-03-01T00:00:01Z,5\n", to: "t.csv")
    var request = TraceRequest(file: "t.csv")
    request.format = .requests
    request.columns.time = "TIMESTAMP"
    let trace = try folder.reader.read(request)
    #expect(points(trace.services[0]).map(\.nanoseconds) == [0, 1_500_000_000])
    #expect(points(trace.services[0]).map(\.serviceNanoseconds) == [-1, -1])
    #expect(trace.shiftedRows == 0)
  }

  @Test func blocksInLongForm() throws {
    try folder.write(
      "app,block504min,invocations,cold\na,0,5,1\na,2,7,2\nb,1,4000000000,0.5\n", to: "b.csv")
    let trace = try folder.reader.read(TraceRequest(file: "b.csv"))
    #expect(trace.format == .blocks)
    #expect(counts(trace.services[0]) == [5, 0, 7])
    #expect(counts(trace.services[1]) == [0, 4_000_000_000, 0])
    #expect(trace.lengthSeconds == 3 * 504 * 60)
    #expect(trace.sums.map(\.column) == ["cold"])
    #expect(trace.sums.map(\.sum) == [3.5])
  }

  @Test func filesAreKnownByTheirBytes() throws {
    let text = "app,1,2\na,1,1\n"
    try folder.write(text, to: "x.csv")
    try folder.write(text.replacingOccurrences(of: "1,1", with: "1,2"), to: "y.csv")
    let x = try folder.reader.read(TraceRequest(file: "x.csv")).files[0]
    let y = try folder.reader.read(TraceRequest(file: "y.csv")).files[0]
    #expect(x.bytes == text.utf8.count)
    #expect(x.hash != y.hash)
  }

  private func counts(_ service: TraceService) -> [UInt32] {
    if case .counts(let counts, _) = service.demand { return counts }
    return []
  }

  private func points(_ service: TraceService) -> [PointSource.Point] {
    if case .points(let points) = service.demand { return points }
    return []
  }
}
