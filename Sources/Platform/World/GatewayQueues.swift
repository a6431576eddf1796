import Primitives
import SimulationKernel

/// Calls that stand before the gateways and consumers that bear so many a second, and how much
/// longer each takes for a call because of them.
///
/// Lindley's recursion, epoch by epoch: a queue of Q calls to which N more come is max(0, Q + N −
/// what the gateway bears in an epoch), and a call of the next epoch waits until those before it
/// are through. So no more goes through a gateway than it bears, and what waits is not forgotten.
/// What single requests make of N is counted. A lane that knows no single ones tells a rate, which
/// is the count of its second: that is dealt among the second's epochs, each call to any of them,
/// by draws of gateway and epoch. What waits for less than an epoch is left out.
struct GatewayQueues: ~Copyable {
  let count: Int
  private let capacities: [Double]
  /// Calls that each has in hand when it is busy: what it bears times what it takes for one.
  private let hands: [Double]
  private let epochSeconds: Double
  private let key: StreamKey
  /// The epoch that is open begins here.
  private var now = Instant.origin
  private var queues: [Double]
  private var came: [Double]
  /// Calls a second of lanes that know no single ones, until they say otherwise.
  private var rates: [Double]
  /// Of these, calls that are still to be dealt in a second, and which that is.
  private var left: [Double]
  private var leftIn: [Int64]
  private var touched: TouchedList
  /// Those that are to be looked at again although nothing new happens there.
  private var busy: [Int] = []
  /// Published: read by lanes during an epoch.
  let slowdowns: UnsafeMutablePointer<Double>

  /// What each gateway bears and takes; nil: it is never slow.
  typealias Entry = (capacityPerSecond: Double?, handling: Nanoseconds)

  init(_ entries: [Entry], epochSeconds: Double, key: StreamKey) {
    self.init(
      capacities: entries.map { $0.capacityPerSecond ?? .infinity },
      hands: entries.map { ($0.capacityPerSecond ?? 0) * $0.handling.seconds },
      epochSeconds: epochSeconds, key: key)
  }

  private init(capacities: [Double], hands: [Double], epochSeconds: Double, key: StreamKey) {
    self.capacities = capacities
    self.hands = hands
    self.epochSeconds = epochSeconds
    self.key = key
    count = capacities.count
    queues = Array(repeating: 0, count: count)
    (came, rates, left) = (queues, queues, queues)
    leftIn = Array(repeating: -1, count: count)
    touched = TouchedList(count: count)
    slowdowns = .allocate(capacity: max(1, count))
    slowdowns.initialize(repeating: 1, count: max(1, count))
  }

  deinit { slowdowns.deallocate() }

  /// Calls that stand before a gateway.
  func waiting(at gateway: Int) -> Double { queues[gateway] }

  mutating func add(_ calls: Double, gateway: Int) {
    touched.insert(gateway)
    came[gateway] += calls
  }

  /// So many more calls come in a second, from now on.
  mutating func addRate(_ perSecond: Double, gateway: Int) {
    touched.insert(gateway)
    let before = rates[gateway]
    rates[gateway] += perSecond
    guard leftIn[gateway] == Self.second(of: now) else { return }
    // More is added, less is thinned, so that what is left follows the rate and never falls below
    // 0.
    if perSecond > 0 {
      left[gateway] += perSecond * Self.restOfSecond(at: now)
    } else {
      left[gateway] *= before > 0 ? max(0, rates[gateway] / before) : 0
    }
  }

  private static func second(of instant: Instant) -> Int64 { instant.nanoseconds / 1_000_000_000 }
  private static func restOfSecond(at instant: Instant) -> Double {
    1 - Double(instant.nanoseconds % 1_000_000_000) * 1e-9
  }

  /// Closes an epoch, or several in which nothing is told. O(gateways that were told of or are
  /// busy, times epochs).
  ///
  /// - Parameter shares: of the rate that each gateway is told that it lets in; empty: all.
  mutating func close(_ length: Nanoseconds, shares: [Double]) {
    for gateway in busy { touched.insert(gateway) }
    busy.removeAll(keepingCapacity: true)
    for place in 0..<touched.count {
      let gateway = touched[place]
      let isBusy = follow(gateway, length, share: shares.isEmpty ? 1 : shares[gateway])
      came[gateway] = 0
      let inHand = hands[gateway]
      slowdowns[gateway] = inHand > 0 ? 1 + queues[gateway] / inHand : 1
      guard isBusy else { continue }
      busy.append(gateway)
      // Whoever takes long steps where nothing is slow must look again soon.
      slowdowns[gateway] = max(slowdowns[gateway], 1.0.nextUp)
    }
    touched.removeAll()
    now = now + length
  }

  /// Returns whether the next epoch is to be looked at in any case.
  private mutating func follow(_ gateway: Int, _ length: Nanoseconds, share: Double) -> Bool {
    guard capacities[gateway] < .infinity else { return false }
    let epochs = SecondWindow<SIMD2<Double>>.epochs(in: length.seconds, of: epochSeconds)
    let each = length.seconds / Double(epochs)
    let (most, mean) = (capacities[gateway] * each, max(0, rates[gateway]) * share * each)
    // Six deviations below what it bears nothing ever waits.
    let isNear = mean > 0 && most - mean < 6 * mean.squareRoot()
    var more = came[gateway]
    for epoch in 0..<epochs {
      let at = now + Nanoseconds(seconds: Double(epoch) * each)
      more += isNear || queues[gateway] > 0 ? dealt(gateway, mean, at: at, each) : mean
      queues[gateway] = max(0, queues[gateway] + more - most)
      more = 0
      if queues[gateway] == 0, !isNear { return false }
    }
    return isNear || queues[gateway] > 0
  }

  /// Calls of an epoch, of those that are left in its second.
  private mutating func dealt(
    _ gateway: Int, _ mean: Double, at instant: Instant, _ each: Double
  ) -> Double {
    guard mean > 0 else { return 0 }
    let (second, rest) = (Self.second(of: instant), Self.restOfSecond(at: instant))
    if leftIn[gateway] != second { (left[gateway], leftIn[gateway]) = (mean / each * rest, second) }
    var bits = key.appending(UInt64(gateway)).stream(UInt64(bitPattern: instant.nanoseconds))
    // All that is left in the second's last epoch, whatever rounding has made of its rest.
    let share = rest - each < 1e-6 ? 1 : each / rest
    let count = Counts.binomial(
      UInt64(left[gateway].rounded()), share: share, uniform: bits.uniformOpen())
    left[gateway] = max(0, left[gateway] - Double(count))
    return Double(count)
  }

  borrowing func clone() -> GatewayQueues {
    var copy = GatewayQueues(
      capacities: capacities, hands: hands, epochSeconds: epochSeconds, key: key)
    copy.now = now
    copy.queues = queues
    copy.came = came
    copy.rates = rates
    copy.left = left
    copy.leftIn = leftIn
    copy.touched = touched
    copy.busy = busy
    copy.slowdowns.update(from: slowdowns, count: count)
    return copy
  }
}
