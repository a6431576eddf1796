import ControlPlane
import Primitives

/// What services call that is not of the platform, and what it refuses for the next epoch.
///
/// A downstream bears so many calls a second, and takes in a second's worth beyond that before it
/// refuses any. While it is over that, it refuses in each epoch the share of the calls by which
/// those of the last second were more than it bears and half of what it has taken in too much: a
/// fluid rule, since lanes do not touch one another within an epoch. So what it takes in while
/// calls grow, which those of the last second do not tell yet, is missing afterwards. A refused
/// call costs it nothing (assumed).
struct Downstreams: ~Copyable {
  let count: Int
  private let capacities: [Double]
  /// Calls a second that it bears beyond those that it was called for; from minus to plus a
  /// second's worth.
  private var levels: [Double]
  /// Of this epoch, and of those of the last second.
  private var calls: [Double]
  private var refused: [Double]
  private var recent: [[(at: Instant, calls: Double)]]
  private var recentCalls: [Double]
  /// Of epochs that come, the next one first: those of lanes that know their calls by the step.
  private var coming: [[(calls: Double, refused: Double)]]
  private let epochSeconds: Double
  private var faults: [FaultConfiguration] = []
  private var now = Instant.origin
  /// Published: read by lanes during an epoch; and what lanes read whose steps are longer.
  let refusals: UnsafeMutablePointer<Double>
  let stepRefusals: UnsafeMutablePointer<Double>

  init(_ downstreams: [DownstreamConfiguration], epochSeconds: Double) {
    self.init(downstreams.map(\.capacityPerSecond), epochSeconds)
  }

  private init(_ capacities: [Double], _ epochSeconds: Double) {
    self.capacities = capacities
    self.epochSeconds = epochSeconds
    coming = capacities.map { _ in [] }
    count = capacities.count
    levels = capacities
    calls = capacities.map { _ in 0 }
    refused = calls
    recent = capacities.map { _ in [] }
    recentCalls = calls
    refusals = .allocate(capacity: max(1, count))
    refusals.initialize(repeating: 0, count: max(1, count))
    stepRefusals = .allocate(capacity: max(1, count))
    stepRefusals.initialize(repeating: 0, count: max(1, count))
  }

  deinit {
    refusals.deallocate()
    stepRefusals.deallocate()
  }

  /// All faults of the run that are known.
  mutating func take(_ faults: [FaultConfiguration]) {
    self.faults = faults.filter {
      if case .limitDownstream = $0.kind { return true }
      return false
    }
  }

  /// What a downstream bears at an instant, of what it bore at first.
  static func share(of index: Int, _ faults: [FaultConfiguration], at now: Instant) -> Double {
    faults.reduce(1) { product, fault in
      guard case .limitDownstream(index, let share, _, _) = fault.kind, fault.span.contains(now)
      else {
        return product
      }
      return product * share
    }
  }

  mutating func add(_ calls: UInt64, refused: UInt64, _ index: Int) {
    self.calls[index] += Double(calls)
    self.refused[index] += Double(refused)
  }

  /// Calls that were made evenly over a time that has passed: they count for as long a time that
  /// begins now, since all of them at once would be a burst that there was not.
  mutating func add(_ calls: UInt64, refused: UInt64, _ index: Int, over seconds: Double) {
    guard calls > 0 else { return }
    let epochs = max(1, min(Self.mostEpochs, Int((seconds / epochSeconds).rounded())))
    while coming[index].count < epochs { coming[index].append((0, 0)) }
    let share = 1 / Double(epochs)
    for epoch in 0..<epochs {
      coming[index][epoch].calls += Double(calls) * share
      coming[index][epoch].refused += Double(refused) * share
    }
  }

  private static let mostEpochs = 128

  /// What counts of them for an epoch, or for the epochs of a longer time.
  private mutating func takeComing(_ index: Int, _ length: Nanoseconds) {
    guard !coming[index].isEmpty else { return }
    let epochs = max(1, Int((length.seconds / epochSeconds).rounded()))
    for part in coming[index].prefix(epochs) {
      calls[index] += part.calls
      refused[index] += part.refused
    }
    coming[index].removeFirst(min(epochs, coming[index].count))
  }

  /// Closes an epoch. O(downstreams).
  mutating func close(_ length: Nanoseconds) {
    for index in 0..<count {
      let capacity = capacities[index] * Self.share(of: index, faults, at: now)
      takeComing(index, length)
      remember(index)
      let admitted = calls[index] - min(refused[index], calls[index])
      let level = levels[index] + capacity * length.seconds - admitted
      levels[index] = max(-capacity, min(capacity, level))
      let lately = recentCalls[index]
      // Over a second it bears what it bears and half of what is left: to let all pass as long as
      // anything is left is right for an epoch, and for a second it would be far too much.
      let borne = capacity + levels[index] / 2
      let share = lately > 0 ? max(0, min(1, 1 - borne / lately)) : 0
      refusals[index] = levels[index] < 0 && lately > capacity ? share : 0
      stepRefusals[index] = share
      calls[index] = 0
      refused[index] = 0
    }
    now = now + length
  }

  private mutating func remember(_ index: Int) {
    if calls[index] > 0 {
      recent[index].append((now, calls[index]))
      recentCalls[index] += calls[index]
    }
    while let first = recent[index].first, first.at + .seconds(1) <= now {
      recentCalls[index] -= first.calls
      recent[index].removeFirst()
    }
  }

  borrowing func clone() -> Downstreams {
    var copy = Downstreams(capacities, epochSeconds)
    copy.coming = coming
    copy.levels = levels
    copy.calls = calls
    copy.refused = refused
    copy.recent = recent
    copy.recentCalls = recentCalls
    copy.faults = faults
    copy.now = now
    copy.refusals.update(from: refusals, count: count)
    copy.stepRefusals.update(from: stepRefusals, count: count)
    return copy
  }
}
