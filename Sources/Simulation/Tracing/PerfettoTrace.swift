import ControlPlane
import Platform
import Primitives
import ResultStore

/// Writes what a watched window does as a trace of the Trace Event Format, which Perfetto and
/// Chrome's tracing show (times are microseconds of the simulated world).
///
/// A process is a zone, or what belongs to none; a thread is one component, or one gateway's part
/// of a lane. Invocations overlap, and so do messages: both are asynchronous events, each with an
/// id of its own, an invocation with its wait and its calls nested inside. Decisions are instants,
/// and queues, instances, pools and lag are counters.
///
/// Events are written in order of time: those of a step are kept until the step is over.
public final class PerfettoTrace: TraceRecorder {
  private struct Key: Hashable {
    var lane: LaneID
    var identity: UInt64
  }

  private struct Request: Hashable {
    var service: ServiceID
    var identity: UInt64
  }

  /// An attempt's number is its lane's.
  private struct Attempt: Equatable {
    var lane: LaneID
    var number: UInt32
  }

  private struct OpenInvocation {
    var id: Int
    var place: Address
    var name: String
    var since: Instant
    /// What is begun inside of it and not ended: its wait, or a call.
    var inner: String?
    /// It waits, or its client backs off, and that is not written yet.
    var waitsSince: Instant?
    var isBackingOff = false
    /// The attempt that its client waits for; nil: of no client, or none.
    var attempt: Attempt?
    var isOfClient = false

    var waitName: String { isBackingOff ? "back-off" : "waiting" }
  }

  /// A lane of another cluster of the region, of which this one has the service too.
  private struct Elsewhere {
    var path: String
    var service: ServiceID
  }

  private struct Event {
    var at: Instant
    var text: String
  }

  private let file: StreamedFile
  private let simulation: ClusterSimulation
  /// Asked for once, since lanes are at work when they tell.
  private let laneCount: Int
  private let names: ComponentNames
  private let window: Range<Instant>
  private let lanes: Set<Int>?
  private var events: [Event] = []
  /// Asked only for keys.
  private var open: [Key: OpenInvocation] = [:]
  /// Where a client's request is kept, which may try again in another lane of its service. Asked
  /// only for keys.
  private var homes: [Request: Key] = [:]
  /// Lanes of other clusters, by the numbers that `WatchedElsewhere` gives them. Asked only for
  /// keys.
  private var elsewhere: [LaneID: Elsewhere] = [:]
  private var threads: [Address: Int] = [:]
  private var counters: [String: Int] = [:]
  private var processes: Set<Int> = []
  private var metadata: [String] = []
  private var isFirst = true
  private var isTelling = false
  private var ids = 0
  /// Invocations that the trace shows.
  public private(set) var invocations = 0
  /// Events that were written, metadata included.
  public private(set) var written = 0

  /// - Parameters:
  ///   - lanes: whose messages are shown; nil: all.
  ///   - window: of arrivals that are shown.
  ///   - about: named values that are kept in the file.
  /// - Throws: `StoreError`.
  public init(
    _ file: StreamedFile, _ simulation: ClusterSimulation, lanes: [LaneID]?,
    window: Range<Instant>, about: [(String, String)]
  ) throws(StoreError) {
    self.file = file
    self.simulation = simulation
    laneCount = simulation.laneCount
    names = ComponentNames(simulation)
    self.window = window
    self.lanes = lanes.map { Set($0.map(\.index)) }
    let told = about.map { "\(JSONText.quoted($0)):\(JSONText.quoted($1))" }
    try file.write(
      "{\"displayTimeUnit\":\"ms\",\"otherData\":{\(told.joined(separator: ","))},\n"
        + "\"traceEvents\":[")
  }

  /// Follows clients of the cluster's own services into lanes of others, which are known when the
  /// run has come to the window: their attempts, calls and ends are told with the invocation.
  public func follow(_ others: [WatchedElsewhere]) {
    let own = simulation.configuration.services
    for other in others {
      for lane in other.lanes {
        let there = other.simulation.place(of: LaneID(lane - other.lanes.lowerBound)).service
        let name = other.simulation.configuration.services[there.index].name
        guard let here = own.firstIndex(where: { $0.name == name }) else { continue }
        elsewhere[LaneID(lane)] = Elsewhere(path: other.path, service: ServiceID(here))
      }
    }
  }

  /// Invocations that have not ended.
  public var unfinished: Int { open.count }

  // MARK: Invocations

  public func arrived(_ arrival: TracedArrival) {
    guard window.contains(arrival.at) else { return }
    invocations += 1
    let place = Address.gateway(arrival.lane, part: arrival.gateway?.part ?? 0)
    var invocation = OpenInvocation(
      id: nextID(), place: place, name: names.service(ofLane: arrival.lane), since: arrival.at)
    invocation.waitsSince = arrival.at
    let key = Key(lane: arrival.lane, identity: arrival.identity)
    open[key] = invocation
    if arrival.mayComeAgain, arrival.gateway != nil {
      let service = simulation.place(of: arrival.lane).service
      homes[Request(service: service, identity: arrival.identity)] = key
    }
    var values: [(String, String)] = [("identity", JSONText.quoted(String(arrival.identity)))]
    if let gateway = arrival.gateway {
      values += [
        ("route", JSONText.quoted(gateway.route.rawValue)),
        ("waiting_before", String(gateway.waiting)), ("usable", String(gateway.counts.usable)),
        ("starting", String(gateway.counts.starting)),
      ]
    }
    if let partition = arrival.partition {
      values += [("partition", String(partition)), ("lag_before", String(arrival.lag))]
    }
    add("b", invocation, invocation.name, at: arrival.at, values)
  }

  /// Under which a request is kept, whichever lane tells of it.
  private func key(_ lane: LaneID, _ identity: UInt64) -> Key {
    let own = Key(lane: lane, identity: identity)
    guard open[own] == nil else { return own }
    let service: ServiceID
    if lane.index < laneCount {
      service = simulation.place(of: lane).service
    } else if let other = elsewhere[lane] {
      service = other.service
    } else {
      return own
    }
    return homes[Request(service: service, identity: identity)] ?? own
  }

  public func attempted(_ attempt: TracedAttempt) {
    let key = key(attempt.lane, attempt.identity)
    guard var invocation = open[key] else { return }
    invocation.attempt = Attempt(lane: attempt.lane, number: attempt.number)
    invocation.isOfClient = true
    if invocation.isBackingOff {
      endWait(&invocation, at: attempt.at)
      invocation.isBackingOff = false
      invocation.waitsSince = attempt.at
    }
    open[key] = invocation
  }

  public func called(_ call: TracedCall) {
    let key = key(call.lane, call.identity)
    guard var invocation = open[key] else { return }
    guard
      !invocation.isOfClient
        || invocation.attempt == Attempt(lane: call.lane, number: call.number)
    else {
      // Its client has left: another attempt may be under way.
      return add("n", invocation, "called for nobody", at: call.at, [])
    }
    endWait(&invocation, at: call.at)
    let name = "pod \(call.pod.raw)"
    invocation.inner = name
    open[key] = invocation
    add(
      "b", invocation, name, at: call.at,
      [
        ("node", String(call.node.raw)), ("cold", String(call.isCold)),
        ("waited", String(call.waited)), ("in_flight", String(call.inFlight)),
        ("service_us", ExactTime.microseconds(.origin + call.service)),
        ("batch", String(call.batch)), ("attempt", String(call.attempt)),
      ] + (elsewhere[call.lane].map { [("cluster", JSONText.quoted($0.path))] } ?? []))
  }

  public func ended(_ end: TracedEnd) {
    let key = key(end.lane, end.identity)
    guard var invocation = open[key] else { return }
    let isOfOther =
      invocation.isOfClient && end.number != .max
      && invocation.attempt != Attempt(lane: end.lane, number: end.number)
    if end.outcome == .late || isOfOther {
      // Another attempt may be under way.
      return add("n", invocation, end.outcome.rawValue, at: end.at, [])
    }
    endWait(&invocation, at: end.at)
    if let inner = invocation.inner { add("e", invocation, inner, at: end.at, []) }
    invocation.inner = nil
    // Elsewhere there are only clients of this cluster's services.
    let isRequest = end.lane.index < laneCount && simulation.isOfRequests(end.lane)
    if isRequest || end.outcome == .completed || end.outcome == .givenUp {
      open[key] = nil
      if invocation.isOfClient {
        homes[
          Request(service: simulation.place(of: key.lane).service, identity: key.identity)] = nil
      }
      add(
        "e", invocation, invocation.name, at: end.at,
        [("outcome", JSONText.quoted(end.outcome.rawValue))])
    } else {
      // It comes again.
      add("n", invocation, end.outcome.rawValue, at: end.at, [])
      invocation.waitsSince = end.at
      invocation.isBackingOff = invocation.isOfClient
      if invocation.isOfClient { invocation.attempt = nil }
      open[key] = invocation
    }
  }

  /// Ends the wait of an invocation; one of no length is not shown.
  private func endWait(_ invocation: inout OpenInvocation, at now: Instant) {
    if let since = invocation.waitsSince, since < now {
      add("b", invocation, invocation.waitName, at: since, [])
      add("e", invocation, invocation.waitName, at: now, [])
    } else if invocation.inner == invocation.waitName {
      add("e", invocation, invocation.waitName, at: now, [])
      invocation.inner = nil
    }
    invocation.waitsSince = nil
  }

  private func add(
    _ phase: String, _ invocation: OpenInvocation, _ name: String, at now: Instant,
    _ values: [(String, String)]
  ) {
    add(
      phase, name, "invocation", "i\(invocation.id)", invocation.place, at: now, values)
  }

  // MARK: The control plane

  public func sent(_ message: TracedMessage) {
    if case .sample = message.message { return }
    if case .offsets = message.message { return }
    guard concerns(message) else { return }
    let name = ComponentNames.name(message.message)
    let values = [
      ("from", JSONText.quoted(names.name(message.from))),
      ("to", JSONText.quoted(names.name(message.to))),
    ]
    guard let arrival = message.arrivesAt else {
      return add("i", "\(name) is lost", "message", nil, message.from, at: message.leftAt, values)
    }
    let id = "m\(nextID())"
    add("b", name, "message", id, message.from, at: message.leftAt, values)
    add("e", name, "message", id, message.from, at: arrival, [])
  }

  private func concerns(_ message: TracedMessage) -> Bool {
    guard let lanes else { return true }
    if let start = message.message.start { return lanes.contains(start.lane.index) }
    return [message.from, message.to].contains {
      $0.kind == .gateway && lanes.contains(Int($0.index))
    }
  }

  public func decided(_ decision: TracedDecision) {
    if let lanes, let start = decision.start, !lanes.contains(start.lane.index) { return }
    if lanes != nil, decision.start == nil { return }
    switch decision {
    case .took(_, let pool, let manager, let isHit, let level, let at):
      add(
        "i", isHit ? "pool hit" : "pool miss", "decision", nil, Address(.workerManager, manager),
        at: at, [("pool", JSONText.quoted(names.pool(pool))), ("level", String(level))])
    case .considered(_, let zone, let nodes, let fitting, let best, let at):
      add(
        "i", "nodes are scored", "decision", nil, .kubernetes, at: at,
        [
          ("zone", JSONText.quoted(names.zone(zone))), ("nodes", String(nodes)),
          ("fitting", String(fitting)),
          ("best_node", best.first.map { "\($0.node.raw)" } ?? "null"),
          ("best_score", best.first.map { "\($0.score)" } ?? "null"),
        ])
    case .placed(_, let pod, let node, let isVirtual, let at):
      add(
        "i", "pod is placed", "decision", nil, .kubernetes, at: at,
        [
          ("pod", String(pod.raw)), ("node", String(node.raw)), ("virtual", String(isVirtual)),
        ])
    case .initialises(_, let pod, let node, let level, _, _, _, let at):
      add(
        "i", "code is there", "decision", nil, Address(.hostAgent, node.index), at: at,
        [("pod", String(pod.raw)), ("from", JSONText.quoted(level.word))])
    }
  }

  /// Shows what is worth telling of the run, on a thread of its own; of the window alone.
  public func tell(_ events: [EventRow]) {
    let process = simulation.configuration.zones.count + 1
    for event in events where window.contains(event.time) {
      if !isTelling {
        isTelling = true
        if processes.insert(process).inserted {
          describe("process_name", process, nil, "cluster")
        }
        describe("thread_name", process, 0, "events")
      }
      let text =
        "{\"ph\":\"i\",\"name\":\(JSONText.quoted(event.kind)),\"cat\":\"event\",\"s\":\"g\","
        + "\"pid\":\(process),\"tid\":0,\"ts\":\(ExactTime.microseconds(event.time)),\"args\":{"
        + "\"subject\":\(JSONText.quoted(event.subject)),\"text\":\(JSONText.quoted(event.text)),"
        + "\"count\":\(event.count)}}"
      self.events.append(Event(at: event.time, text: text))
    }
  }

  // MARK: Steps

  /// Ends a step of the run: reads the counters and writes everything before the run's present.
  /// - Throws: `StoreError`.
  public func closeStep(_ watched: [LaneID]) throws(StoreError) {
    let now = simulation.now
    readCounters(watched, at: now)
    // What has waited through the end of the step is shown from its beginning.
    for key in open.keys.sorted(by: { open[$0]?.id ?? 0 < open[$1]?.id ?? 0 }) {
      guard var invocation = open[key], let since = invocation.waitsSince, since < now else {
        continue
      }
      add("b", invocation, invocation.waitName, at: since, [])
      invocation.waitsSince = nil
      invocation.inner = invocation.waitName
      open[key] = invocation
    }
    try flush(before: now)
  }

  /// Ends what has not ended, with a word in it, and the file; it has its name only afterwards.
  /// - Throws: `StoreError`.
  public func finish() throws(StoreError) {
    let last = events.reduce(simulation.now) { max($0, $1.at) }
    for key in open.keys.sorted(by: { open[$0]?.id ?? 0 < open[$1]?.id ?? 0 }) {
      guard let invocation = open[key] else { continue }
      if let inner = invocation.inner { add("e", invocation, inner, at: last, []) }
      add("e", invocation, invocation.name, at: last, [("unfinished", "true")])
    }
    open = [:]
    try flush(before: .distantFuture)
    try file.write("\n]}\n")
    try file.publish()
  }

  private func readCounters(_ watched: [LaneID], at now: Instant) {
    for lane in watched {
      let place = Address.gateway(lane, part: 0)
      let name = names.service(ofLane: lane)
      let gauges = simulation.lane(lane).gauges
      count("waiting: \(name)", gauges.waiting, place, at: now)
      count("ready instances: \(name)", gauges.ready, place, at: now)
      count("in flight: \(name)", gauges.inFlight, place, at: now)
      if simulation.isOfMessages(lane) { count("lag: \(name)", gauges.lag, place, at: now) }
    }
    for (index, pool) in simulation.configuration.pools.enumerated() where pool.isWarm {
      count(
        "warm pool: \(names.pool(PoolID(index)))", simulation.level(of: PoolID(index)),
        Address(.zoneEntry, pool.zone.index), at: now)
    }
  }

  /// A counter, where it has changed.
  private func count(_ name: String, _ value: Int, _ place: Address, at now: Instant) {
    let process = process(of: place)
    let key = "\(process) \(name)"
    guard counters[key] != value else { return }
    counters[key] = value
    let text =
      "{\"ph\":\"C\",\"name\":\(JSONText.quoted(name)),\"pid\":\(process),"
      + "\"ts\":\(ExactTime.microseconds(now)),\"args\":{\"value\":\(value)}}"
    events.append(Event(at: now, text: text))
  }

  private func nextID() -> Int {
    ids += 1
    return ids
  }

  private func add(
    _ phase: String, _ name: String, _ category: String, _ id: String?, _ place: Address,
    at now: Instant, _ values: [(String, String)]
  ) {
    var text =
      "{\"ph\":\"\(phase)\",\"name\":\(JSONText.quoted(name)),\"cat\":\"\(category)\","
    if let id { text += "\"id\":\"\(id)\"," }
    if phase == "i" { text += "\"s\":\"t\"," }
    text +=
      "\"pid\":\(process(of: place)),\"tid\":\(thread(of: place)),"
      + "\"ts\":\(ExactTime.microseconds(now))"
    if !values.isEmpty {
      text += ",\"args\":{" + values.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }
    events.append(Event(at: now, text: text + "}"))
  }

  private func flush(before bound: Instant) throws(StoreError) {
    // Stable: what was told first comes first at one instant.
    let order = events.indices.sorted { (events[$0].at, $0) < (events[$1].at, $1) }
    var lines = metadata
    var later: [Event] = []
    for index in order {
      if events[index].at < bound {
        lines.append(events[index].text)
      } else {
        later.append(events[index])
      }
    }
    metadata = []
    events = later
    guard !lines.isEmpty else { return }
    try file.write((isFirst ? "\n" : ",\n") + lines.joined(separator: ",\n"))
    isFirst = false
    written += lines.count
  }

  // MARK: Processes and threads

  /// A zone's number from 1, or one more than there are: what is in no zone.
  private func process(of place: Address) -> Int {
    let zones = simulation.configuration.zones.count
    let zone = simulation.zone(of: place)
    let process = (zone?.index ?? zones) + 1
    if processes.insert(process).inserted {
      describe("process_name", process, nil, zone.map(names.zone) ?? "cluster")
    }
    return process
  }

  private func thread(of place: Address) -> Int {
    if let thread = threads[place] { return thread }
    let thread = threads.count + 1
    threads[place] = thread
    let name =
      place.kind == .gateway
      ? "\(names.name(place)) · \(names.service(ofLane: LaneID(Int(place.index))))"
      : names.name(place)
    describe("thread_name", process(of: place), thread, name)
    return thread
  }

  private func describe(_ what: String, _ process: Int, _ thread: Int?, _ name: String) {
    metadata.append(
      "{\"ph\":\"M\",\"name\":\"\(what)\",\"pid\":\(process),"
        + (thread.map { "\"tid\":\($0)," } ?? "") + "\"args\":{\"name\":\(JSONText.quoted(name))}}")
  }
}

/// Text within JSON (RFC 8259).
enum JSONText {
  static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
