import Platform
import Primitives

/// A run that is simulated again, of which a window is watched invocation by invocation.
///
/// It begins at the run's beginning, as `verify` does, with the same scenario, seed and fidelity,
/// so that it meets the window in the same state. Lanes that are at flow fidelity are carried over
/// to requests shortly before, or where they await an answer then or are away, before they began to
/// (`EarlyLanes`); the others are watched as they are, and nothing changes for them.
public final class WatchedRun {
  /// A lane that was flow is made of requests from so long before the window on: arrivals of the
  /// second of the change have times of their own.
  static let lead = Nanoseconds.seconds(2)
  /// What the control plane does is kept from so long before the window on, for starts that were
  /// asked for before.
  static let lookBack = Nanoseconds.seconds(600)
  /// Before a rehearsal parts from its calm twin lanes are made requests from so long before on.
  public static let earlyLead = Nanoseconds.seconds(60)
  /// Time between two looks at the run.
  public static let step = Nanoseconds.milliseconds(100)

  public let run: Run
  public let lanes: [LaneID]
  /// Lanes that were flow in the run and are requests here.
  public private(set) var represented = 0
  /// Lanes that await an answer all the time before the window, or are away with their zone since
  /// before the run could be begun anew, and so stay flow.
  public private(set) var unseen = 0
  /// Other clusters in which clients of the watched lanes may try again.
  public private(set) var elsewhere: [WatchedElsewhere] = []
  private let grid: Int64
  private let end: Instant
  /// Lanes that were made requests before the run came here.
  private let early: Int

  /// Those that stay flow.
  public var unseenLanes: [LaneID] { lanes.filter { run.cluster.fidelity(of: $0) == .flow } }

  /// - Parameters:
  ///   - lanes: that are watched; nil: all.
  ///   - end: of the run, beyond which it never goes.
  ///   - early: lanes that were flow, and `makeRequests` has carried over.
  public init(_ run: Run, lanes: [LaneID]?, end: Instant = .distantFuture, early: Int = 0) {
    self.run = run
    self.early = early
    self.end = end
    let count = run.cluster.laneCount
    self.lanes = lanes ?? (0..<count).map { LaneID($0) }
    let epoch = run.cluster.configuration.epoch.count
    grid = max(1, (Self.step.count + epoch - 1) / epoch) * epoch
  }

  /// Makes flow lanes of requests in the minute before an instant, and goes there: before a
  /// rehearsal parts from its calm twin, whose lanes may await answers or be gone from then on.
  /// Returns how many could be.
  ///
  /// - Throws: `InvariantViolation`.
  public static func makeRequests(
    of some: [LaneID], in run: Run, before instant: Instant, interruption: (any Interruption)?
  ) throws -> Int {
    let made = try EarlyLanes.attempt(
      some, in: run, from: instant - earlyLead, until: instant, step: step.count,
      interruption: interruption
    ).made.count
    try run.advance(to: instant, interruption: interruption)
    return made
  }

  /// Where watching may begin or end: the last instant of the grid that is not after one.
  private func aligned(_ instant: Instant) -> Instant {
    Instant(nanoseconds: max(0, instant.nanoseconds) / grid * grid)
  }

  /// Simulates to the beginning of a window and begins to watch.
  ///
  /// - Parameter sinceLookBack: whether messages of the time before the window are told of too.
  /// - Throws: `InvariantViolation`.
  public func approach(
    _ start: Instant, into recorder: any TraceRecorder, candidates: Int = 0,
    sinceLookBack: Bool, interruption: (any Interruption)? = nil
  ) throws {
    let start = aligned(start)
    let zoom = Instant(
      nanoseconds: max(0, (start - Self.lead).nanoseconds / 1_000_000_000 * 1_000_000_000))
    let early = try EarlyLanes(
      run, lanes, zoom: zoom, start: start, step: grid, interruption: interruption)
    if interruption?.isInterrupted == true { return }
    let lookBack = sinceLookBack ? aligned(start - Self.lookBack) : .distantFuture
    try early.make(in: run, until: min(zoom, lookBack), step: grid, interruption: interruption)
    if sinceLookBack {
      try run.advance(to: lookBack, interruption: interruption)
      run.cluster.watchControl(into: recorder)
    }
    try early.make(in: run, until: zoom, step: grid, interruption: interruption)
    try run.advance(to: zoom, interruption: interruption)
    if interruption?.isInterrupted == true { return }
    represented =
      self.early + early.count(in: run) + lanes.count { run.cluster.fidelity(of: $0) == .flow }
    unseen = run.cluster.zoom(lanes)
    while run.cluster.now < start {
      try advance()
      if unseen > 0 { unseen = run.cluster.zoom(lanes) }
    }
    run.cluster.watchControl(into: recorder)
    run.cluster.watch(lanes, into: recorder, candidates: candidates)
    elsewhere = watchElsewhere(into: recorder)
  }

  /// What is named in what the run tells.
  public var names: ComponentNames { ComponentNames(run.cluster, others: elsewhere) }

  /// One step further.
  /// - Throws: `InvariantViolation`.
  public func advance() throws { try advance(to: grid) }

  /// To the next whole second: every step looks at all lanes, so that long ones cost less.
  /// - Throws: `InvariantViolation`.
  public func advanceASecond() throws { try advance(to: 1_000_000_000) }

  private func advance(to multiple: Int64) throws {
    let next = Instant(nanoseconds: (run.cluster.now.nanoseconds / multiple + 1) * multiple)
    try run.advance(to: min(next, end))
  }
}
