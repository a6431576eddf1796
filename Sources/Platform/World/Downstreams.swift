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
  /// Calls, and refused ones, of the epoch that is open; and those of the last second.
  private var charged: [SIMD2<Double>]
  private var windows: [SecondWindow<SIMD2<Double>>]
  private let epochSeconds: Double
  private var faults: [FaultConfiguration] = []
  /// The epoch that is open begins here.
  private(set) var now = Instant.origin
  /// Published: read by lanes during an epoch; and what lanes read whose steps are longer.
  let refusals: UnsafeMutablePointer<Double>
  let stepRefusals: UnsafeMutablePointer<Double>

  init(_ downstreams: [DownstreamConfiguration], epochSeconds: Double) {
    self.init(downstreams.map(\.capacityPerSecond), epochSeconds)
  }

  private init(_ capacities: [Double], _ epochSeconds: Double) {
    self.capacities = capacities
    self.epochSeconds = epochSeconds
    count = capacities.count
    levels = capacities
    charged = capacities.map { _ in SIMD2() }
    windows = capacities.map { _ in SecondWindow(epochSeconds: epochSeconds) }
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
      guard case .limitDownstream(index, let share, _, let factor) = fault.kind,
        fault.span.contains(now)
      else { return product }
      // What answers more and more slowly bears as much less.
      return product
        * (factor > 1
          ? 1 / fault.growth.grown(factor, at: now) : fault.growth.grown(share, at: now))
    }
  }

  mutating func add(_ calls: UInt64, refused: UInt64, _ index: Int) {
    let some = SIMD2(Double(calls), Double(refused))
    charged[index] += some
    windows[index].add(some)
  }

  /// So many more calls, and refused ones, are expected in a second.
  mutating func expect(_ change: SIMD2<Double>, _ index: Int) { windows[index].expect(change) }

  /// So many more calls, and refused ones, were made than was expected, evenly over some seconds
  /// up to now.
  mutating func correct(_ some: SIMD2<Double>, over seconds: Double, _ index: Int) {
    charged[index] += some
    windows[index].correct(some, over: seconds)
  }

  /// Closes an epoch, or several in which nothing happens, one by one. O(downstreams · epochs).
  mutating func close(_ length: Nanoseconds) {
    let epochs = SecondWindow<SIMD2<Double>>.epochs(in: length.seconds, of: epochSeconds)
    // Of a long time all but the last seconds can be closed at once.
    let single = min(epochs, max(1, Int(3 / epochSeconds)))
    let end = now + length
    for left in stride(from: single - 1, through: 0, by: -1) {
      let stop = end - length * Int64(left) / Int64(epochs)
      closeEpoch(stop - now)
      now = stop
    }
  }

  private mutating func closeEpoch(_ length: Nanoseconds) {
    for index in 0..<count {
      let capacity = capacities[index] * Self.share(of: index, faults, at: now)
      let some = charged[index] + windows[index].rate * length.seconds
      charged[index] = SIMD2()
      windows[index].close(seconds: length.seconds)
      let admitted = some.x - some.y
      let level = levels[index] + capacity * length.seconds - admitted
      levels[index] = max(-capacity, min(capacity, level))
      let lately = windows[index].sum.x
      // Over a second it bears what it bears and half of what is left: to let all pass as long as
      // anything is left is right for an epoch, and for a second it would be far too much.
      let borne = capacity + levels[index] / 2
      let share = lately > 0 ? max(0, min(1, 1 - borne / lately)) : 0
      refusals[index] = levels[index] < 0 && lately > capacity ? share : 0
      stepRefusals[index] = share
    }
  }

  borrowing func clone() -> Downstreams {
    var copy = Downstreams(capacities, epochSeconds)
    copy.levels = levels
    copy.charged = charged
    copy.windows = windows
    copy.faults = faults
    copy.now = now
    copy.refusals.update(from: refusals, count: count)
    copy.stepRefusals.update(from: stepRefusals, count: count)
    return copy
  }
}
