import Platform
import Primitives
import Reporting
import ResultStore
import Simulation
import Workload

/// What `explain` prints.
struct ExplainReport {
  let results: WatchedResults
  let watched: WatchedRun
  let name: String

  /// Of a window, the invocations that are named.
  private static let named = 5
  /// Events that are told for people, at most.
  private static let toldEvents = 12

  private var names: ComponentNames { watched.names }

  private func explanation(
    _ entry: InvocationLog.Entry, _ log: InvocationLog, isExact: Bool
  ) -> Explanation {
    Explanation(entry, deeds: log.deeds, names: names, isExact: isExact)
  }

  private func identity(_ identity: UInt64) -> String {
    identity >> 63 == 1
      ? "point \(identity & ~(1 << 63))"
      : "second \(Self.second(of: identity)), k \(identity & 0xFFFF_FFFF)"
        + (identity >> 62 == 1 ? " of a surge" : "")
  }

  /// Without the mark of a surge.
  private static func second(of identity: UInt64) -> UInt64 { identity >> 32 & 0x3FFF_FFFF }

  /// The head of every answer: the run that it is of.
  private var origin: String {
    "\(results.scenario.document.name), seed \(results.scenario.document.seed), replication "
      + "\(results.replication + 1)"
  }

  // MARK: One invocation

  func conclusion(
    _ entry: InvocationLog.Entry, _ place: InvocationIndex.Place, _ log: InvocationLog,
    isExact: Bool
  ) throws -> Conclusion {
    let explained = explanation(entry, log, isExact: isExact)
    let end = entry.isOver ? entry.ends.last?.at : nil
    let events = try results.events(
      in: entry.arrival.at..<(end ?? watched.run.cluster.now) + Nanoseconds(1))
    let notes = results.notes(watched)
    var summary = results.summary("explain", notes: notes)
    summary["explanation"] = .object([
      "service": .string(name), "represented": .bool(watched.represented > 0),
      "window": .null, "counts": .null,
      "invocation": .object(invocation(entry, number: place.number)),
      "parts": .array(explained.parts.map { json($0, since: entry.arrival.at) }),
      "steps": .array(
        explained.steps.map { step in
          .object([
            "at_seconds": .number((step.at - entry.arrival.at).seconds),
            "place": .string(step.place), "what": .string(step.what),
          ])
        }),
      "worst": .array([]), "longest_waits": .array([]), "events": .array(events.map(json)),
    ])
    return Conclusion(
      status: .fine, text: text(explained, entry, place, events), summary: summary,
      notices: notes.map { "note: \($0)" })
  }

  private func text(
    _ explained: Explanation, _ entry: InvocationLog.Entry, _ place: InvocationIndex.Place,
    _ events: [EventRow]
  ) -> String {
    let since = entry.arrival.at
    let took = explained.latency.map { " after \(ExactTime.text($0))" } ?? ""
    var lines = [
      "\(name)#\(place.number): \(WindowSummary.word(explained.outcome))\(took), "
        + "\(explained.path.rawValue)",
      "came at \(ExactTime.place(since)) in \(names.zone(ofLane: entry.arrival.lane)) "
        + "(\(identity(place.identity))) of \(origin)",
      "", "where the time went",
    ]
    let rows = explained.parts.map { part in
      [
        "+" + ExactTime.text(part.from - since), ExactTime.text(part.length), part.name, part.place,
      ]
    }
    lines.append(TextForm.table([["from", "for", "what", "where"]] + rows))
    lines += ["", "what was decided"]
    lines += explained.steps.map {
      "+\(ExactTime.text($0.at - since)) \($0.place): \($0.what)"
    }
    lines += meanwhile(events)
    return lines.joined(separator: "\n")
  }

  /// What the run has told of the cluster, for people.
  private func meanwhile(_ events: [EventRow]) -> [String] {
    guard !events.isEmpty else { return [] }
    let told = events.prefix(Self.toldEvents).map { event in
      let often = event.count > 1 ? " (\(TextForm.grouped(event.count)) times)" : ""
      return "\(ExactTime.place(event.time)) \(event.kind) \(event.subject)\(often): \(event.text)"
    }
    let more = events.count - told.count
    return ["", "meanwhile in the cluster"] + told + (more > 0 ? ["and \(more) more"] : [])
  }

  private func json(_ event: EventRow) -> JSONValue {
    .object([
      "at_seconds": .number((event.time - .origin).seconds), "kind": .string(event.kind),
      "subject": .string(event.subject), "text": .string(event.text),
      "count": JSONValue(event.count),
    ])
  }

  private func json(_ part: Explanation.Part, since: Instant) -> JSONValue {
    .object([
      "name": .string(part.name), "place": .string(part.place),
      "from_seconds": .number((part.from - since).seconds),
      "seconds": .number(part.length.seconds),
    ])
  }

  private func invocation(_ entry: InvocationLog.Entry, number: Int?) -> JSONObject {
    let id = entry.arrival.identity
    let isPoint = id >> 63 == 1
    return [
      "number": JSONValue(number), "zone": .string(names.zone(ofLane: entry.arrival.lane)),
      "second": isPoint ? .null : .unsigned(Self.second(of: id)),
      "k": isPoint ? .null : .unsigned(id & 0xFFFF_FFFF),
      "point": isPoint ? .unsigned(id & ~(1 << 63)) : .null,
      "arrived_seconds": .number((entry.arrival.at - .origin).seconds),
      "outcome": .string(WindowSummary.word(entry.outcome)),
      "path": .string(InvocationPath(entry).rawValue),
      "wait_seconds": JSONValue(entry.wait?.seconds),
      "latency_seconds": JSONValue(entry.latency?.seconds),
    ]
  }

  // MARK: A window

  func conclusion(
    _ window: WindowSummary, _ range: Range<Instant>, _ log: InvocationLog,
    _ index: InvocationIndex, isExact: Bool
  ) throws -> Conclusion {
    let events = try results.events(in: range)
    let notes = results.notes(watched)
    func named(_ entries: [InvocationLog.Entry], isOfWait: Bool) -> [Named] {
      zip(entries, numbers(of: entries, index)).map { entry, number in
        let end =
          isOfWait ? entry.wait.map { entry.arrival.at + $0 } ?? .distantFuture : .distantFuture
        return Named(
          entry: entry, number: number,
          part: explanation(entry, log, isExact: isExact).parts.filter { $0.to <= end }
            .max { $0.length < $1.length })
      }
    }
    let worst = named(window.worst(Self.named), isOfWait: false)
    let waits = named(window.longestWaits(Self.named), isOfWait: true)
    var summary = results.summary("explain", notes: notes)
    // What comes is known whether or not it is shown.
    let came =
      watched.unseen > 0 ? max(window.entries.count, index.count(in: range)) : window.entries.count
    summary["explanation"] = .object([
      "service": .string(name), "represented": .bool(watched.represented > 0),
      "window": .object([
        "from_seconds": .number((range.lowerBound - .origin).seconds),
        "to_seconds": .number((range.upperBound - .origin).seconds),
      ]),
      "counts": .object(counts(window, came)), "invocation": .null, "parts": .array([]),
      "steps": .array([]),
      "worst": .array(worst.map(json)), "longest_waits": .array(waits.map(json)),
      "events": .array(events.map(json)),
    ])
    var lines = header(window, range, came)
    for (title, found) in [("the worst", worst), ("the longest waits", waits)]
    where !found.isEmpty {
      lines += ["", title, TextForm.table(rows(found))]
    }
    lines += meanwhile(events)
    if let number = (waits.first ?? worst.first)?.number {
      lines += ["", "explain: \(explainCommand(number))"]
    }
    return Conclusion(
      status: .fine, text: lines.joined(separator: "\n"), summary: summary,
      notices: notes.map { "note: \($0)" })
  }

  /// An invocation that is worth a look.
  private struct Named {
    var entry: InvocationLog.Entry
    var number: Int?
    var part: Explanation.Part?
  }

  private func json(_ found: Named) -> JSONValue {
    var object = invocation(found.entry, number: found.number)
    object["longest_part"] = JSONValue(found.part?.name)
    object["longest_part_seconds"] = JSONValue(found.part?.length.seconds)
    return .object(object)
  }

  private func explainCommand(_ number: Int) -> String {
    var words = [CommandLine.arguments[0], "explain", results.file]
    if results.replication > 0 { words += ["--replication", String(results.replication + 1)] }
    let cluster = results.cluster.map { ["--cluster", $0] } ?? []
    return ShellWords.text(words + ["--invocation", "\(name)#\(number)"] + cluster)
  }

  private func header(
    _ window: WindowSummary, _ range: Range<Instant>, _ came: Int
  ) -> [String] {
    func told(_ counts: [(word: String, count: Int)]) -> String {
      counts.isEmpty
        ? "-" : counts.map { "\(TextForm.grouped($0.count)) \($0.word)" }.joined(separator: ", ")
    }
    var lines = [
      "\(name): \(TextForm.grouped(came)) invocations came from "
        + "\(ExactTime.place(range.lowerBound)) to \(ExactTime.place(range.upperBound)) of "
        + origin
        + (came > window.entries.count
          ? "; \(TextForm.grouped(window.entries.count)) of them are shown" : ""),
      "outcome: \(told(window.outcomes))", "path: \(told(window.paths))",
      "route: \(told(window.routes))",
      "starts: \(window.poolHits) pool hits, \(window.poolMisses) pool misses, "
        + "\(window.failedStarts) failed, to the end of the last of them",
    ]
    if let median = window.quantile(0.5), let high = window.quantile(0.99),
      let most = window.quantile(1)
    {
      lines.append(
        "latency: p50 \(TextForm.time(seconds: median.seconds)), "
          + "p99 \(TextForm.time(seconds: high.seconds)), "
          + "max \(TextForm.time(seconds: most.seconds))")
    }
    return lines
  }

  private func rows(_ named: [Named]) -> [[String]] {
    [["invocation", "came at", "outcome", "path", "latency", "longest part"]]
      + named.map { found in
        [
          found.number.map { "\(name)#\($0)" } ?? "-",
          ExactTime.place(found.entry.arrival.at),
          WindowSummary.word(found.entry.outcome), InvocationPath(found.entry).rawValue,
          found.entry.latency.map { ExactTime.text($0) } ?? "-",
          found.part.map { "\($0.name), \(ExactTime.text($0.length)): \($0.place)" } ?? "-",
        ]
      }
  }

  private func counts(_ window: WindowSummary, _ came: Int) -> JSONObject {
    func object(_ counts: [(word: String, count: Int)]) -> JSONValue {
      .object(JSONObject(counts.map { ($0.word, JSONValue($0.count)) }))
    }
    return [
      "invocations": JSONValue(came), "not_shown": JSONValue(came - window.entries.count),
      "by_outcome": object(window.outcomes),
      "by_path": object(window.paths), "by_route": object(window.routes),
      "pool_hits": JSONValue(window.poolHits), "pool_misses": JSONValue(window.poolMisses),
      "failed_starts": JSONValue(window.failedStarts),
      "latency_p50_seconds": JSONValue(window.quantile(0.5)?.seconds),
      "latency_p99_seconds": JSONValue(window.quantile(0.99)?.seconds),
      "latency_max_seconds": JSONValue(window.quantile(1)?.seconds),
    ]
  }

  /// The numbers of invocations: those of their identity in the second in which they come.
  private func numbers(
    of entries: [InvocationLog.Entry], _ index: InvocationIndex
  ) -> [Int?] {
    entries.map { entry in
      index.places(second: Int(entry.arrival.at.nanoseconds / 1_000_000_000))
        .first { $0.identity == entry.arrival.identity }?.number
    }
  }
}
