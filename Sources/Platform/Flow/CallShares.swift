import ControlPlane
import HeapModule
import Primitives

/// What share of a lane's calls each of its instances gets, where they are not equally fast or the
/// choice prefers some: found by running the real choice on a small copy of the lane, with service
/// times of its own law.
struct CallShares: ~Copyable {
  private struct End: BitwiseCopyable, Comparable {
    var at: Double
    var slot: InstanceSlot

    static func < (one: End, other: End) -> Bool {
      (one.at, one.slot.index) < (other.at, other.slot.index)
    }
    static func == (one: End, other: End) -> Bool {
      one.at == other.at && one.slot.index == other.slot.index
    }
  }

  /// Arrivals that are run, and those of them before anything is counted.
  private static let arrivals = 50_000
  private static let warmUp = 5_000
  /// More wait than this many a slot: then it is overloaded, whatever else.
  private static let mostWaiting = 4

  private var table: InstanceTable
  private var running = Heap<End>()
  private var waiting = 0
  private var calls: [Int]
  private let factors: [Double]
  private let law: ServiceShape

  private init(_ factors: [Double], _ rules: RouterRules, _ law: ServiceShape) {
    table = InstanceTable(choice: rules.choice, concurrencyLimit: rules.concurrencyLimit)
    for position in factors.indices { _ = table.add(PodID(position), at: .origin) }
    calls = Array(repeating: 0, count: factors.count)
    self.factors = factors
    self.law = law
  }

  /// - Parameters:
  ///   - factors: how many times as long each instance takes, above 0.
  ///   - load: arrivals in the mean time of an instance of factor 1.
  ///   - law: of service times.
  /// - Returns: shares of all calls, 1 in sum.
  static func draw(
    factors: [Double], rules: RouterRules, load: Double, law: ServiceShape,
    using bits: inout some BitSource
  ) -> [Double] {
    let even = Array(repeating: 1 / Double(max(1, factors.count)), count: factors.count)
    guard factors.count > 1, load > 0, law.mean > 0 else { return even }
    var copy = CallShares(factors, rules, law)
    let most = mostWaiting * factors.count * rules.concurrencyLimit
    var time = 0.0
    for arrival in 0..<arrivals {
      if arrival == warmUp { copy.calls = Array(repeating: 0, count: factors.count) }
      time += law.mean / load * ZigguratExponential.sample(using: &bits)
      while let end = copy.running.min, end.at <= time {
        copy.running.removeMin()
        _ = copy.table.end(end.slot, at: Instant(nanoseconds: Int64(end.at * 1e9) + 1))
        guard copy.waiting > 0 else { continue }
        copy.waiting -= 1
        copy.begin(at: end.at, &bits)
      }
      copy.begin(at: time, &bits)
      copy.waiting = min(copy.waiting, most)
    }
    let sum = copy.calls.reduce(0, +)
    return sum > 0 ? copy.calls.map { Double($0) / Double(sum) } : even
  }

  private mutating func begin(at time: Double, _ bits: inout some BitSource) {
    guard let slot = table.choose(using: &bits) else {
      waiting += 1
      return
    }
    table.begin(slot)
    calls[slot.index] += 1
    let point = Int(bits.integer(below: UInt64(ServiceShape.points)))
    running.insert(End(at: time + law.quantiles[point] * factors[slot.index], slot: slot))
  }
}
