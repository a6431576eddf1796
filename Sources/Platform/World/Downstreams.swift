import ControlPlane
import Primitives

/// What services call that is not of the platform, and what it refuses for the next epoch.
///
/// A downstream bears so many calls a second, and takes in a second's worth beyond that before it
/// refuses any. While it is over that, it refuses in each epoch the share of the calls by which
/// those of the last second were more than it bears: a fluid rule, since lanes do not touch one
/// another within an epoch. A refused call costs it nothing (assumed).
struct Downstreams: ~Copyable {
  let count: Int
  private let capacities: [Double]
  /// Calls a second that it bears beyond those that it was called for; from minus to plus a
  /// second's worth.
  private var levels: [Double]
  /// Of this epoch, and of those of the last second.
  private var calls: [UInt64]
  private var refused: [UInt64]
  private var recent: [[(at: Instant, calls: UInt64)]]
  private var recentCalls: [UInt64]
  private var faults: [FaultConfiguration] = []
  private var now = Instant.origin
  /// Published: read by lanes during an epoch.
  let refusals: UnsafeMutablePointer<Double>

  init(_ downstreams: [DownstreamConfiguration]) {
    self.init(downstreams.map(\.capacityPerSecond))
  }

  private init(_ capacities: [Double]) {
    self.capacities = capacities
    count = capacities.count
    levels = capacities
    calls = capacities.map { _ in 0 }
    refused = calls
    recent = capacities.map { _ in [] }
    recentCalls = calls
    refusals = .allocate(capacity: max(1, count))
    refusals.initialize(repeating: 0, count: max(1, count))
  }

  deinit { refusals.deallocate() }

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
    self.calls[index] += calls
    self.refused[index] += refused
  }

  /// Closes an epoch. O(downstreams).
  mutating func close(_ length: Nanoseconds) {
    for index in 0..<count {
      let capacity = capacities[index] * Self.share(of: index, faults, at: now)
      remember(index)
      let admitted = Double(calls[index] - min(refused[index], calls[index]))
      let level = levels[index] + capacity * length.seconds - admitted
      levels[index] = max(-capacity, min(capacity, level))
      let lately = Double(recentCalls[index])
      refusals[index] = levels[index] < 0 && lately > capacity ? 1 - capacity / lately : 0
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
    var copy = Downstreams(capacities)
    copy.levels = levels
    copy.calls = calls
    copy.refused = refused
    copy.recent = recent
    copy.recentCalls = recentCalls
    copy.faults = faults
    copy.now = now
    copy.refusals.update(from: refusals, count: count)
    return copy
  }
}
