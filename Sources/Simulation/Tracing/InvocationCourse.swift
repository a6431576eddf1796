import ControlPlane
import Platform
import Primitives

/// The course of one invocation through the cluster, put together from what was watched.
struct InvocationCourse {
  typealias Part = Explanation.Part

  let entry: InvocationLog.Entry
  let names: ComponentNames
  /// Processors are simulated exactly: what a call waits for them is known from its end only.
  let isExact: Bool
  /// In the order in which they left.
  let messages: [TracedMessage]
  let decisions: [TracedDecision]

  init(
    _ entry: InvocationLog.Entry, deeds: [InvocationLog.Deed], names: ComponentNames,
    isExact: Bool
  ) {
    self.entry = entry
    self.names = names
    self.isExact = isExact
    var messages: [TracedMessage] = []
    var decisions: [TracedDecision] = []
    for deed in deeds {
      switch deed {
      case .sent(let message): messages.append(message)
      case .decided(let decision): decisions.append(decision)
      }
    }
    self.messages = messages
    self.decisions = decisions
  }

  var lane: LaneID { entry.arrival.lane }

  /// - Parameter other: nil: the lane that it came to.
  func entryName(_ part: Int, _ other: LaneID? = nil) -> String {
    let lane = other ?? lane
    return "\(names.entry(lane, part: part)) of \(names.zone(ofLane: lane))"
  }

  /// Where it waits.
  var queueName: String {
    if let partition = entry.arrival.partition { return "partition \(partition) and its consumer" }
    if entry.arrival.gateway == nil { return "between store and gateway, or there" }
    return entryName(entry.arrival.gateway?.part ?? entry.calls.first?.part ?? 0)
  }

  /// Where it waited for a call: of a client's request where that attempt went.
  private func queueName(before call: TracedCall) -> String {
    entry.attempts.isEmpty ? queueName : entryName(call.part, call.lane)
  }

  // MARK: Where the time goes

  func parts() -> [Part] {
    if !entry.attempts.isEmpty { return clientParts() }
    var parts: [Part] = []
    var now = entry.arrival.at
    func add(_ name: String, _ place: String, to end: Instant) {
      guard end > now else { return }
      parts.append(Part(name: name, place: place, from: now, to: end))
      now = end
    }
    add("hop", "broker to consumer", to: entry.arrival.seenAt)
    let (calls, ends) = chain
    for (index, call) in calls.enumerated() {
      if call.at > now {
        parts += waiting(now..<call.at, for: call)
        now = call.at
      }
      guard index < ends.count else { break }
      addCall(call, until: ends[index], &parts, &now)
    }
    if let last = entry.ends.last, last.at > now {
      add("waiting", queueName, to: last.at)
    }
    if let last = entry.ends.last, entry.isOver {
      add("way through", "client and API gateway", to: last.at + last.wayThrough)
    }
    return parts
  }

  /// The stretches of a call up to its end.
  func addCall(
    _ call: TracedCall, until end: TracedEnd, _ parts: inout [Part], _ now: inout Instant
  ) {
    func add(_ name: String, _ place: String, to end: Instant) {
      guard end > now else { return }
      parts.append(Part(name: name, place: place, from: now, to: end))
      now = end
    }
    let instance = "pod \(call.pod.raw) on node \(call.node.raw)"
    add("handling", entryName(call.part, call.lane), to: min(now + call.handling, end.at))
    guard end.outcome == .completed else { return add("no answer", instance, to: end.at) }
    let back = end.at - call.hop
    add("hop", "to \(instance)", to: min(now + call.hop, back))
    add("overhead", instance, to: min(now + call.overhead, back))
    add("service", instance, to: min(now + call.service, back))
    add("processor contention", instance, to: min(now + call.stretch, back))
    add(isExact ? "processors are busy" : "reads of keys", instance, to: back)
    add("hop", "back from \(instance)", to: end.at)
  }

  /// The calls that led to its end, and their ends: of an event that was notified twice those of
  /// the notification that was answered, of a message those of its last delivery.
  private var chain: (calls: [TracedCall], ends: [TracedEnd]) {
    let number = entry.ends.last?.number ?? entry.calls.last?.number
    return (
      entry.calls.filter { $0.number == number }, entry.ends.filter { $0.number == number }
    )
  }

  /// What an invocation waited for until it was called.
  func waiting(_ range: Range<Instant>, for call: TracedCall) -> [Part] {
    if call.attempt > 0, range.lowerBound == entry.arrival.at {
      return [
        Part(
          name: "earlier attempts", place: queueName, from: range.lowerBound, to: range.upperBound)
      ]
    }
    let place = queueName(before: call)
    if let index = answer(to: call) { return walk(back: index, in: range, waitedAt: place) }
    return [Part(name: "waiting", place: place, from: range.lowerBound, to: range.upperBound)]
  }

  /// The message that ended a wait: of the instance that was made, or of the route.
  func answer(to call: TracedCall) -> Int? {
    messages.lastIndex { sent in
      guard sent.to == .gateway(call.lane, part: call.part), let arrival = sent.arrivesAt,
        arrival <= call.at
      else { return false }
      switch sent.message {
      case .instanceReady(_, let pod, _): return call.isCold && pod == call.pod
      case .endpointAdded(let pod, _): return call.isCold && pod == call.pod
      case .route:
        return call.waited && !call.isCold && entry.arrival.gateway?.route == .absent
          && arrival == call.at
      default: return false
      }
    }
  }

  // MARK: A chain of messages

  /// The times of a chain of messages that ends with one, from the latest to the earliest.
  private func walk(
    back last: Int, in range: Range<Instant>, waitedAt queue: String
  ) -> [Part] {
    var parts: [Part] = []
    var end = range.upperBound
    func add(_ name: String, _ place: String, from start: Instant) {
      let start = max(start, range.lowerBound)
      guard start < end else { return }
      parts.append(Part(name: name, place: place, from: start, to: end))
      end = start
    }
    var index = last
    while true {
      let sent = messages[index]
      guard let arrival = sent.arrivesAt, end > range.lowerBound else { break }
      addStay(sent, from: arrival, to: end, add)
      add(
        "hop", "\(names.name(sent.from)) to \(names.name(sent.to))", from: sent.leftAt + sent.extra)
      add(Self.name(ofExtra: sent), names.name(sent.from), from: sent.leftAt)
      guard let cause = cause(of: index) else { break }
      index = cause
    }
    add("waiting", queue, from: range.lowerBound)
    return parts.reversed()
  }

  /// A component's time with what has come to it; in the order from its end.
  private func addStay(
    _ sent: TracedMessage, from arrival: Instant, to end: Instant,
    _ add: (String, String, Instant) -> Void
  ) {
    let place = names.name(sent.to)
    switch sent.to.kind {
    case .gateway:
      add("next epoch", entryName(Int(sent.to.part), LaneID(Int(sent.to.index))), arrival)
    case .hostAgent:
      if case .initialises(_, _, _, let level, let agent, let mount, _, let at) =
        decision(in: arrival...end, of: sent, where: { $0.isInitialisation })
      {
        add("runtime starts", place, at + agent + mount)
        add("code is mounted", place, at + agent)
        add("pod is prepared", place, at)
        add("code from \(level.word)", place, arrival)
      }
      add("handling", place, arrival)
    case .kubernetes:
      if let placed = decision(in: arrival...end, of: sent, where: { $0.isPlacement }) {
        add("pod is created", place, placed.at)
        add("turn and room", place, arrival)
      }
      add("handling", place, arrival)
    default: add("handling", place, arrival)
    }
  }

  /// The decision for a message's start within some time.
  private func decision(
    in range: ClosedRange<Instant>, of sent: TracedMessage,
    where isWanted: (TracedDecision) -> Bool
  ) -> TracedDecision? {
    decisions.last {
      isWanted($0) && range.contains($0.at)
        && $0.start?.identity == sent.message.start?.identity
    }
  }

  /// The message that made a component send one: the latest about the same thing that had come to
  /// it.
  private func cause(of index: Int) -> Int? {
    let sent = messages[index]
    if sent.from.kind == .gateway { return answerOfRoute(before: index) }
    return messages[..<index].lastIndex { earlier in
      guard earlier.to == sent.from, let arrival = earlier.arrivesAt, arrival <= sent.leftAt else {
        return false
      }
      if let start = sent.message.start { return earlier.message.start?.identity == start.identity }
      if case .resolveRoute = earlier.message { return earlier.from == sent.to }
      return false
    }
  }

  /// The answer of a Dispatcher upon which a gateway asked for an instance, where the invocation
  /// waited for it.
  private func answerOfRoute(before index: Int) -> Int? {
    let sent = messages[index]
    guard case .needInstance = sent.message, entry.arrival.gateway?.route == .absent else {
      return nil
    }
    return messages[..<index].lastIndex { earlier in
      guard case .route = earlier.message else { return false }
      return earlier.to == sent.from && earlier.arrivesAt == sent.leftAt
    }
  }

  private static func name(ofExtra sent: TracedMessage) -> String {
    switch sent.message {
    case .loadCode, .startIsolate: "allocation"
    case .loaded: "route is published"
    case .sample: "signal delay"
    default: "time beyond the hop"
    }
  }
}

extension TracedDecision {
  var isInitialisation: Bool {
    if case .initialises = self { true } else { false }
  }
  var isPlacement: Bool {
    if case .placed = self { true } else { false }
  }
}

extension CodeLevel {
  var word: String {
    switch self {
    case .node: "the node's cache"
    case .zone: "the zone's cache"
    case .origin: "the object store"
    case .module: "the worker process"
    }
  }
}
