/// The latest signals of a service's lanes and their sums. Integers, so that a sum does not depend
/// on the order of samples; a sample is O(1).
struct SignalTable: Sendable {
  struct Sums: Sendable, Equatable {
    var concurrencyMilli: Int64?
    var cpuMilli: Int64?
    var memoryMiB: Int64?
    var lag: Int64?
    var ready: Int64?
    var unready: Int64?
    var missing: Int64?
  }

  /// By lane.
  private var lanes: [Sums] = []
  /// A signal that no lane has told is nil.
  private(set) var sums = Sums()

  /// Takes a sample; true when it says anything that was not known. Negative lanes are left out.
  mutating func take(_ sample: ScalingSample) -> Bool {
    guard sample.lane >= 0 else { return false }
    while lanes.count <= sample.lane { lanes.append(Sums()) }
    let before = sums
    let lane = sample.lane
    Self.replace(&lanes[lane].concurrencyMilli, &sums.concurrencyMilli, sample.concurrencyMilli)
    Self.replace(&lanes[lane].cpuMilli, &sums.cpuMilli, sample.cpuMilli)
    Self.replace(&lanes[lane].memoryMiB, &sums.memoryMiB, sample.memoryMiB)
    Self.replace(&lanes[lane].lag, &sums.lag, sample.lag)
    Self.replace(&lanes[lane].ready, &sums.ready, sample.ready.map(Int64.init))
    Self.replace(&lanes[lane].unready, &sums.unready, sample.unready.map(Int64.init))
    Self.replace(&lanes[lane].missing, &sums.missing, sample.missing.map(Int64.init))
    return sums != before
  }

  private static func replace(_ known: inout Int64?, _ sum: inout Int64?, _ value: Int64?) {
    guard let value else { return }
    sum = (sum ?? 0) + value - (known ?? 0)
    known = value
  }
}
