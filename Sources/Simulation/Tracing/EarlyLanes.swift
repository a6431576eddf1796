import Platform
import Primitives

/// Flow lanes that cannot be made of requests shortly before a window, since they await an answer
/// all the time or are away with their zone, and when they can be: before they began to.
///
/// Found in forks, which go ahead and are thrown away: a minute before the window, then as long
/// before as is looked back, then where the run stands, which of a rehearsal is just before its
/// faults.
struct EarlyLanes {
  /// In order of time.
  private var plan: [(lane: LaneID, at: Instant)] = []

  /// How far before the window it is tried; nil: as far as the run can.
  private static let leads: [Nanoseconds?] = [.seconds(60), WatchedRun.lookBack, nil]
  /// For so long it is tried each time.
  private static let patience = Nanoseconds.seconds(10)

  /// - Parameters:
  ///   - zoom: when all others are made requests; `start`: when the window begins.
  ///   - step: between two attempts, nanoseconds.
  /// - Throws: `InvariantViolation`.
  init(
    _ run: Run, _ lanes: [LaneID], zoom: Instant, start: Instant, step: Int64,
    interruption: (any Interruption)?
  ) throws {
    let flow = lanes.filter { run.cluster.fidelity(of: $0) == .flow }
    guard !flow.isEmpty || run.cluster.configuration.fidelity == .auto else { return }
    var left = try Self.attempt(
      lanes, in: run.fork(), from: zoom, until: start, step: step, interruption: interruption
    ).left
    var before = Instant.distantFuture
    for lead in Self.leads where !left.isEmpty {
      let from = max(run.cluster.now, lead.map { start - $0 } ?? .origin)
      guard from < before else { break }
      before = from
      let found = try Self.attempt(
        left, in: run.fork(), from: from, until: min(zoom, from + Self.patience), step: step,
        interruption: interruption)
      plan += found.made
      left = found.left
    }
    plan.sort { ($0.at, $0.lane) < ($1.at, $1.lane) }
  }

  /// Tries to make lanes of requests, again and again.
  static func attempt(
    _ lanes: [LaneID], in run: Run, from: Instant, until end: Instant, step: Int64,
    interruption: (any Interruption)?
  ) throws -> (made: [(lane: LaneID, at: Instant)], left: [LaneID]) {
    try run.advance(to: max(from, run.cluster.now), interruption: interruption)
    var left = lanes.filter { run.cluster.fidelity(of: $0) == .flow }
    var made: [(lane: LaneID, at: Instant)] = []
    while interruption?.isInterrupted != true {
      _ = run.cluster.zoom(left)
      let now = run.cluster.now
      made += left.filter { run.cluster.fidelity(of: $0) != .flow }.map { ($0, now) }
      left.removeAll { run.cluster.fidelity(of: $0) != .flow }
      guard !left.isEmpty, now < end else { break }
      try run.advance(to: min(end, Instant(nanoseconds: (now.nanoseconds / step + 1) * step)))
    }
    return (made, left)
  }

  /// Those of the plan that are requests by now.
  func count(in run: Run) -> Int {
    plan.count { run.cluster.fidelity(of: $0.lane) != .flow }
  }

  /// Follows the plan up to an instant. A lane that cannot be made a request when it is due, since
  /// others are requests that were flow in the fork, is tried again until then.
  func make(
    in run: Run, until end: Instant, step: Int64, interruption: (any Interruption)?
  ) throws {
    for (lane, at) in plan where at <= end {
      try run.advance(to: max(at, run.cluster.now), interruption: interruption)
      var tries = 0
      while run.cluster.zoom([lane]) > 0, run.cluster.now < end, tries < 100 {
        tries += 1
        let next = Instant(nanoseconds: (run.cluster.now.nanoseconds / step + 1) * step)
        try run.advance(to: min(end, next))
      }
    }
  }
}
