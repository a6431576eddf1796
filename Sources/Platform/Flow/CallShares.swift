import ControlPlane
import Primitives

/// What share of a lane's calls each of its instances gets, where they are not equally fast or the
/// choice prefers some: found by running the real choice on a small copy of the lane, with service
/// times of its own law.
struct CallShares: ~Copyable {
  private struct End: BitwiseCopyable {
    var at: Double
    var slot: InstanceSlot
  }

  /// Arrivals that are run, and those of them before anything is counted.
  private static let arrivals = 50_000
  private static let warmUp = 5_000
  /// More wait than this many a slot: then it is overloaded, whatever else.
  private static let mostWaiting = 4

  private var table: InstanceTable
  private var running = Heap()
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
      while let end = copy.running.first, end.at <= time {
        copy.running.removeFirst()
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

  /// Ends, the next first.
  private struct Heap {
    private var entries: [End] = []

    var first: End? { entries.first }

    mutating func insert(_ end: End) {
      entries.append(end)
      var child = entries.count - 1
      while child > 0, entries[child].at < entries[(child - 1) / 2].at {
        entries.swapAt(child, (child - 1) / 2)
        child = (child - 1) / 2
      }
    }

    mutating func removeFirst() {
      entries.swapAt(0, entries.count - 1)
      entries.removeLast()
      var parent = 0
      while true {
        var least = parent
        for child in [2 * parent + 1, 2 * parent + 2]
        where child < entries.count && entries[child].at < entries[least].at {
          least = child
        }
        guard least != parent else { return }
        entries.swapAt(parent, least)
        parent = least
      }
    }
  }
}
