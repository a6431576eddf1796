import ControlPlane
import Primitives

/// What gateways let in of each importance in the next epoch, from what was offered in the last
/// second: the rule of `PriorityShedding` for rates, since lanes do not touch one another within an
/// epoch.
struct GatewayShedding: ~Copyable {
  let isOn: Bool
  private let rules: SheddingConfiguration
  private let capacities: [Double]
  /// By gateway: what was offered in this epoch, and in each of those of the last second, with
  /// their sum.
  private var offered: [SIMD8<Double>]
  private var recent: [[(at: Instant, offered: SIMD8<Double>)]]
  private var sums: [SIMD8<Double>]
  /// Gateways that anything was offered to in the last second, and which of all these are.
  private var active: [Int] = []
  private var isActive: [Bool]
  /// By gateway: the share of all that it lets in.
  private var taken: [Double]
  private var now = Instant.origin
  /// Published, by gateway and importance: read by lanes during an epoch.
  let admittedShares: UnsafeMutablePointer<Double>

  /// - Parameter capacities: requests a second that each gateway bears.
  init(_ rules: SheddingConfiguration?, capacities: [Double]) {
    isOn = rules != nil
    self.rules = rules ?? SheddingConfiguration()
    self.capacities = isOn ? capacities : []
    let count = self.capacities.count
    offered = Array(repeating: SIMD8(repeating: 0), count: count)
    sums = offered
    recent = Array(repeating: [], count: count)
    isActive = Array(repeating: false, count: count)
    taken = Array(repeating: 1, count: count)
    let places = max(1, count * PriorityShedding.mostLevels)
    admittedShares = .allocate(capacity: places)
    admittedShares.initialize(repeating: 1, count: places)
  }

  deinit { admittedShares.deallocate() }

  mutating func add(_ requests: Double, gateway: Int, importance: Int) {
    offered[gateway][importance] += requests
    guard !isActive[gateway] else { return }
    isActive[gateway] = true
    active.append(gateway)
  }

  /// The share of the requests of this epoch that a gateway takes in.
  func share(of gateway: Int) -> Double { taken[gateway] }

  /// Closes an epoch. O(gateways that anything was offered to in the last second).
  mutating func close(_ length: Nanoseconds) {
    var left = 0
    for gateway in active {
      remember(gateway)
      let came = sums[gateway]
      let admitted = PriorityShedding.admitted(
        came, shares: rules.shares, room: rules.mark * capacities[gateway])
      for level in 0..<PriorityShedding.mostLevels {
        let isCut = admitted[level] < came[level]
        admittedShares[gateway * PriorityShedding.mostLevels + level] =
          isCut ? admitted[level] / came[level] : 1
      }
      let all = came.sum()
      taken[gateway] = all > 0 ? min(1, admitted.sum() / all) : 1
      if recent[gateway].isEmpty {
        isActive[gateway] = false
        sums[gateway] = SIMD8(repeating: 0)
      } else {
        active[left] = gateway
        left += 1
      }
    }
    active.removeLast(active.count - left)
    now = now + length
  }

  private mutating func remember(_ gateway: Int) {
    if offered[gateway].sum() > 0 {
      recent[gateway].append((now, offered[gateway]))
      sums[gateway] += offered[gateway]
      offered[gateway] = SIMD8(repeating: 0)
    }
    while let first = recent[gateway].first, first.at + .seconds(1) <= now {
      sums[gateway] -= first.offered
      recent[gateway].removeFirst()
    }
  }

  borrowing func clone() -> GatewayShedding {
    var copy = GatewayShedding(isOn ? rules : nil, capacities: capacities)
    copy.offered = offered
    copy.sums = sums
    copy.recent = recent
    copy.active = active
    copy.isActive = isActive
    copy.taken = taken
    copy.now = now
    copy.admittedShares.update(
      from: admittedShares, count: capacities.count * PriorityShedding.mostLevels)
    return copy
  }
}
