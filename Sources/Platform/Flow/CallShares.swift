import ControlPlane
import Primitives

/// What share of a lane's calls each of its instances gets, where they are not equally fast or the
/// choice prefers some: found by running the real choice on a small copy of the lane, with
/// exponential service of each instance's own mean.
struct CallShares: ~Copyable {
  /// Arrivals, completions and what is neither.
  private static let events = 400_000
  /// Of these, those before anything is counted.
  private static let warmUp = 40_000
  /// More wait than this many a slot: then it is overloaded, whatever else.
  private static let mostWaiting = 4

  private var table: InstanceTable
  private var busy: [InstanceSlot] = []
  private var waiting = 0
  private var calls: [Int]

  private init(_ factors: [Double], _ rules: RouterRules) {
    table = InstanceTable(choice: rules.choice, concurrencyLimit: rules.concurrencyLimit)
    for position in factors.indices { _ = table.add(PodID(position), at: .origin) }
    calls = Array(repeating: 0, count: factors.count)
  }

  /// - Parameters:
  ///   - factors: how many times as long each instance takes, above 0.
  ///   - load: arrivals in the mean time of an instance of factor 1.
  /// - Returns: shares of all calls, 1 in sum.
  static func draw(
    factors: [Double], rules: RouterRules, load: Double, using bits: inout some BitSource
  ) -> [Double] {
    let even = Array(repeating: 1 / Double(max(1, factors.count)), count: factors.count)
    guard factors.count > 1, load > 0, let fastest = factors.min() else { return even }
    var copy = CallShares(factors, rules)
    let most = mostWaiting * factors.count * rules.concurrencyLimit
    for event in 0..<events {
      let total = load + Double(copy.busy.count) / fastest
      if bits.uniform() * total < load {
        copy.arrive(most: most, isCounted: event >= warmUp, &bits)
      } else {
        copy.end(factors, fastest, at: event, isCounted: event >= warmUp, &bits)
      }
    }
    let sum = copy.calls.reduce(0, +)
    return sum > 0 ? copy.calls.map { Double($0) / Double(sum) } : even
  }

  private mutating func arrive(most: Int, isCounted: Bool, _ bits: inout some BitSource) {
    guard let slot = table.choose(using: &bits) else {
      waiting = min(waiting + 1, most)
      return
    }
    table.begin(slot)
    busy.append(slot)
    if isCounted { calls[slot.index] += 1 }
  }

  /// One of those under way may end: each as likely as its instance is fast.
  private mutating func end(
    _ factors: [Double], _ fastest: Double, at event: Int, isCounted: Bool,
    _ bits: inout some BitSource
  ) {
    let index = Int(bits.integer(below: UInt64(busy.count)))
    let slot = busy[index]
    guard bits.uniform() * factors[slot.index] < fastest else { return }
    busy[index] = busy[busy.count - 1]
    busy.removeLast()
    _ = table.end(slot, at: Instant(nanoseconds: Int64(event) + 1))
    guard waiting > 0 else { return }
    waiting -= 1
    arrive(most: waiting, isCounted: isCounted, &bits)
  }
}
