import ControlPlane
import Primitives

/// What gateways let in of each importance in the next epoch, from what was offered in the last
/// second: the rule of `PriorityShedding` for rates, since lanes do not touch one another within an
/// epoch.
struct GatewayShedding: ~Copyable {
  let isOn: Bool
  private let rules: SheddingConfiguration
  private let capacities: [Double]
  /// By gateway: what was offered of each importance in the last second.
  private var windows: [SecondWindow<SIMD8<Double>>]
  private let epochSeconds: Double
  /// Gateways that anything was offered to in the last second, and which of all these are.
  private var active: [Int] = []
  private var isActive: [Bool]
  /// By gateway: the share of all that it lets in.
  private(set) var taken: [Double]
  /// The epoch that is open begins here.
  private(set) var now = Instant.origin
  /// Published, by gateway and importance: read by lanes during an epoch.
  let admittedShares: UnsafeMutablePointer<Double>

  /// - Parameter capacities: requests a second that each gateway bears.
  init(_ rules: SheddingConfiguration?, capacities: [Double], epochSeconds: Double) {
    isOn = rules != nil
    self.rules = rules ?? SheddingConfiguration()
    self.capacities = isOn ? capacities : []
    let count = self.capacities.count
    self.epochSeconds = epochSeconds
    windows = Array(repeating: SecondWindow(epochSeconds: epochSeconds), count: count)
    isActive = Array(repeating: false, count: count)
    taken = Array(repeating: 1, count: count)
    let places = max(1, count * PriorityShedding.mostLevels)
    admittedShares = .allocate(capacity: places)
    admittedShares.initialize(repeating: 1, count: places)
  }

  deinit { admittedShares.deallocate() }

  mutating func add(_ requests: Double, gateway: Int, importance: Int) {
    windows[gateway].add(Self.counts(requests, importance))
    activate(gateway)
  }

  /// So many more requests are expected in a second.
  mutating func expect(_ change: Double, gateway: Int, importance: Int) {
    windows[gateway].expect(Self.counts(change, importance))
    activate(gateway)
  }

  /// So many more have come than was expected, evenly over some seconds up to now.
  mutating func correct(
    _ requests: Double, over seconds: Double, gateway: Int, importance: Int
  ) {
    windows[gateway].correct(Self.counts(requests, importance), over: seconds)
    activate(gateway)
  }

  private static func counts(_ requests: Double, _ importance: Int) -> SIMD8<Double> {
    var counts = SIMD8<Double>()
    counts[importance] = requests
    return counts
  }

  private mutating func activate(_ gateway: Int) {
    guard !isActive[gateway] else { return }
    isActive[gateway] = true
    active.append(gateway)
  }

  /// Closes an epoch, or several in which nothing happens, one by one. O(gateways that anything
  /// was offered to in the last second, times epochs).
  mutating func close(_ length: Nanoseconds) {
    let epochs = SecondWindow<SIMD8<Double>>.epochs(in: length.seconds, of: epochSeconds)
    // What has come is forgotten after a second.
    let single = min(epochs, max(1, Int(3 / epochSeconds)))
    for epoch in 0..<single {
      let seconds = length.seconds * Double(epoch == 0 ? epochs - single + 1 : 1) / Double(epochs)
      for gateway in active { windows[gateway].close(seconds: seconds) }
    }
    now = now + length
    var left = 0
    for gateway in active {
      publish(gateway)
      if windows[gateway].isEmpty {
        isActive[gateway] = false
      } else {
        active[left] = gateway
        left += 1
      }
    }
    active.removeLast(active.count - left)
  }

  private mutating func publish(_ gateway: Int) {
    let came = windows[gateway].sum
    let admitted = PriorityShedding.admitted(
      came, shares: rules.shares, room: rules.mark * capacities[gateway])
    for level in 0..<PriorityShedding.mostLevels {
      let isCut = admitted[level] < came[level]
      admittedShares[gateway * PriorityShedding.mostLevels + level] =
        isCut ? admitted[level] / came[level] : 1
    }
    let all = came.sum()
    taken[gateway] = all > 0 ? min(1, admitted.sum() / all) : 1
  }

  borrowing func clone() -> GatewayShedding {
    var copy = GatewayShedding(
      isOn ? rules : nil, capacities: capacities, epochSeconds: epochSeconds)
    copy.windows = windows
    copy.active = active
    copy.isActive = isActive
    copy.taken = taken
    copy.now = now
    copy.admittedShares.update(
      from: admittedShares, count: capacities.count * PriorityShedding.mostLevels)
    return copy
  }
}
