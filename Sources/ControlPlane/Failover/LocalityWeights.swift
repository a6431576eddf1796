/// Traffic among the localities of one level: by weight, less where too few hosts are healthy.
///
/// Envoy's rule (`locality_weight.rst`, `upstream_impl.cc`; published).
public enum LocalityWeights {
  /// weight × min(1, overprovisioning × healthy / hosts that count); 0 without hosts.
  ///
  /// - Parameter overprovisioning: in percent.
  public static func effective(
    weight: Int, hosts: Int, healthy: Int,
    overprovisioning: Int = PriorityLoads.overprovisioning
  ) -> Double {
    guard hosts > 0 else { return 0 }
    let available = Double(healthy) / Double(hosts)
    return Double(weight) * min(1, Double(overprovisioning) / 100 * available)
  }

  /// The same in whole numbers, times 10,000 and rounded down, as weights of an apportionment.
  static func effectiveTenThousandths(
    weight: Int, hosts: Int, healthy: Int, overprovisioning: Int
  ) -> Int {
    guard hosts > 0 else { return 0 }
    return weight * min(10_000, overprovisioning * 100 * healthy / hosts)
  }
}

/// Members picked in turn in proportion to their weights: the earliest deadline is next, and comes
/// again 1 / weight later. Of equal deadlines that which was set first.
///
/// Envoy's `edf_scheduler.h` (published). When the schedule has come to a time t, every member was
/// picked t × weight times, rounded down, up to those whose turn is at t itself.
public struct DeadlineSchedule: Sendable {
  private struct Entry: Sendable {
    var deadline: Double
    var order: UInt64
    var member: Int
    var step: Double

    func isBefore(_ other: Entry) -> Bool {
      deadline != other.deadline ? deadline < other.deadline : order < other.order
    }
  }

  /// A binary heap, the next one at its top.
  private var heap: [Entry] = []
  private var orders: UInt64 = 0

  /// - Parameter weights: by member; those that are not positive are never picked.
  public init(weights: [Double]) {
    for (member, weight) in weights.enumerated() where weight > 0 {
      heap.append(Entry(deadline: 1 / weight, order: orders, member: member, step: 1 / weight))
      orders += 1
    }
    for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(index) }
  }

  /// The next member; nil without any. O(log members), no allocation.
  public mutating func next() -> Int? {
    guard !heap.isEmpty else { return nil }
    let member = heap[0].member
    heap[0].deadline += heap[0].step
    heap[0].order = orders
    orders += 1
    sink(0)
    return member
  }

  private mutating func sink(_ start: Int) {
    var index = start
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2]
      where child < heap.count && heap[child].isBefore(heap[least]) { least = child }
      guard least != index else { return }
      heap.swapAt(index, least)
      index = least
    }
  }

  public borrowing func clone() -> Self { copy self }
}
