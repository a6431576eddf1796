import Primitives
import Scenario
import Workload

/// The traces that a scenario names, read once.
public struct TraceLibrary: Sendable {
  /// By name of the service section.
  private var traces: [String: Trace] = [:]
  private var variations: [String: VariationTable] = [:]
  /// Every file that was read, each once, in the order of reading.
  public private(set) var files: [TraceFile] = []

  /// For scenarios without traces.
  public init() {}

  /// Reads what a scenario names.
  /// - Parameter directory: of the data; nil: none was given.
  /// - Throws: `TraceFailure` with the errors of all files.
  public init(
    for document: ScenarioDocument, directory: String?
  ) throws(TraceFailure) {
    var read: [TraceRequest: Trace] = [:]
    for section in document.services {
      guard let trace = section.arrivals.trace else { continue }
      guard let directory else { throw Self.noData(document.name, trace) }
      let reader = TraceReader(directory: directory)
      let request = TraceRequest(trace)
      let found: Trace
      if let known = read[request] { found = known } else { found = try reader.read(request) }
      read[request] = found
      add(found.files)
      traces[section.name] = Self.busiest(trace.busiest, of: try Self.only(trace.only, of: found))
      if let file = trace.variationFile {
        let table = try VariationTable(reading: file, from: reader)
        add([table.file])
        variations[section.name] = table
      }
      try Self.check(section, found)
    }
  }

  /// The trace of a service section, with the services that it replays.
  public func trace(of section: String) -> Trace? { traces[section] }

  /// The publishers' cold starts of the services of a section: of the whole file, and of what a
  /// replication is judged by, where that is made of whole blocks.
  public func publishedColdStarts(
    of section: ServiceSection, in document: ScenarioDocument, replication: Int
  ) -> (file: PublishedColdStarts, run: PublishedColdStarts?)? {
    guard let trace = traces[section.name], let whole = trace.publishedColdStarts() else {
      return nil
    }
    let window = TraceWindow(section, of: trace, in: document, replication: replication)
    let run = window.judged.flatMap { trace.publishedColdStarts(in: $0) }
    return (whole, run)
  }

  /// Into how many parts a section's trace is divided, of which each replication replays one; nil
  /// where each replays all of it.
  public func parts(of section: ServiceSection) -> Int? {
    guard let trace = traces[section.name], let part = section.arrivals.trace?.part?.seconds,
      part > 0
    else { return nil }
    return max(1, Int((Double(trace.lengthSeconds) / part).rounded(.up)))
  }

  func variations(of section: String) -> VariationTable? { variations[section] }

  private mutating func add(_ more: [TraceFile]) {
    for file in more where !files.contains(file) { files.append(file) }
  }

  private static func noData(_ scenario: String, _ trace: TraceSection) -> TraceFailure {
    let source = trace.source.isEmpty ? "" : "; \(trace.source)"
    return TraceFailure(
      TraceError(
        .noData, file: trace.file, found: "no directory of data",
        expected: "`--data DIR` with this file in it",
        help: "scenario `\(scenario)` replays measured traffic\(source)"))
  }

  /// What the scenario takes from the trace must be there.
  private static func check(
    _ section: ServiceSection, _ trace: Trace
  ) throws(TraceFailure) {
    func missing(_ what: String, _ service: String, _ help: String) -> TraceFailure {
      TraceFailure(
        TraceError(
          .missingColumn, file: trace.files.first?.name ?? "",
          found: "no \(what) of `\(service)`", expected: "one for each service", help: help))
    }
    for service in trace.services {
      if section.serviceTimeFromTrace, !service.hasDurations {
        throw missing(
          "duration", service.name,
          "give `service_time` a distribution, or name a column or file of durations")
      }
      if section.shapeFromMemory, service.memoryMiB == nil {
        throw missing("memory", service.name, "name a shape, or a file of memory")
      }
    }
  }

  /// The services of given names; all where none is given.
  private static func only(_ names: [String], of trace: Trace) throws(TraceFailure) -> Trace {
    guard !names.isEmpty else { return trace }
    var part = trace
    part.services = trace.services.filter { names.contains($0.name) }
    for name in names where !part.services.contains(where: { $0.name == name }) {
      throw TraceFailure(
        TraceError(
          .missingColumn, file: trace.files.first?.name ?? "", found: "no service `\(name)`",
          expected: "the services of `only`",
          help: "`headroom trace describe` names the busiest services of a file"))
    }
    return part
  }

  /// The busiest services, in the order of the file; all where no number is given.
  private static func busiest(_ count: Int?, of trace: Trace) -> Trace {
    guard let count, count < trace.services.count else { return trace }
    let order = trace.services.indices.sorted {
      let (a, b) = (trace.services[$0].demand.invocations, trace.services[$1].demand.invocations)
      return a == b ? $0 < $1 : a > b
    }
    var part = trace
    part.services = order.prefix(count).sorted().map { trace.services[$0] }
    return part
  }
}

extension TraceService {
  fileprivate var hasDurations: Bool {
    switch demand {
    case .counts: duration != nil
    case .points(let points): points.allSatisfy { $0.serviceNanoseconds >= 0 }
    }
  }
}

extension TraceRequest {
  /// What a scenario asks for.
  init(_ section: TraceSection) {
    self.init(file: section.file)
    format = section.format.flatMap { TraceFormat(rawValue: $0.rawValue) }
    columns.time = section.timeColumn
    columns.service = section.serviceColumn
    columns.duration = section.durationColumn
    columns.value = section.valueColumn
    origin = section.beginsAtFirst ? .first : .zero
    timeUnit = section.timeUnit.count
    durationUnit = section.durationUnit.count
    blockSeconds = Int(section.block.count / 1_000_000_000)
    durationsFile = section.durationsFile
    memoryFile = section.memoryFile
  }
}
