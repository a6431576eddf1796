import Primitives

/// Ready pods now, and the most there have been at once: by runtime, shape and zone, which is what
/// the size of a warm pool is a percentage of, and by service.
///
/// Lanes are looked at where they publish: in epoch order at the end of each epoch, in exact order
/// after every event. What comes and goes inside one epoch is not seen.
struct ReadyCounts: Sendable {
  /// By lane: the first pool of its runtime, shape and zone, and its service.
  private let poolOfLane: [Int]
  private let serviceOfLane: [Int]
  private var ofLane: [Int]
  private var inPools: [Int]
  private var inServices: [Int]
  private var poolPeaks: [Int]
  private var servicePeaks: [Int]
  /// Lanes that have changed since the last `close`; kept so that none allocates.
  private var changed: [Int] = []
  /// By pool: the first of its runtime, shape and zone.
  private let firstAlike: [Int]

  init(_ configuration: ClusterConfiguration, _ topology: Topology) {
    let pools = configuration.pools
    let first = pools.map { pool in pools.firstIndex { pool.isAlike($0) } ?? 0 }
    firstAlike = first
    poolOfLane = topology.lanePool.map { first[$0.index] }
    serviceOfLane = topology.lanes.map(\.service.index)
    ofLane = Array(repeating: 0, count: topology.lanes.count)
    inPools = Array(repeating: 0, count: pools.count)
    inServices = Array(repeating: 0, count: configuration.services.count)
    poolPeaks = inPools
    servicePeaks = inServices
    changed.reserveCapacity(topology.lanes.count)
  }

  /// A lane has so many ready pods; O(1).
  mutating func set(_ lane: Int, to ready: Int) {
    let difference = ready - ofLane[lane]
    guard difference != 0 else { return }
    ofLane[lane] = ready
    inPools[poolOfLane[lane]] += difference
    inServices[serviceOfLane[lane]] += difference
    changed.append(lane)
  }

  /// All lanes of an instant have been set.
  mutating func close() {
    for lane in changed {
      let (pool, service) = (poolOfLane[lane], serviceOfLane[lane])
      poolPeaks[pool] = max(poolPeaks[pool], inPools[pool])
      servicePeaks[service] = max(servicePeaks[service], inServices[service])
    }
    changed.removeAll(keepingCapacity: true)
  }

  /// Forgets earlier peaks: those from now on count.
  mutating func restart() {
    poolPeaks = inPools
    servicePeaks = inServices
  }

  var peaks: ReadyPeaks {
    ReadyPeaks(pools: firstAlike.map { poolPeaks[$0] }, services: servicePeaks)
  }
}

/// The most ready pods at once.
public struct ReadyPeaks: Sendable, Equatable {
  /// By pool: of its runtime, shape and zone, whether they came from the pool or not.
  public var pools: [Int]
  public var services: [Int]

  public init(pools: [Int], services: [Int]) {
    self.pools = pools
    self.services = services
  }
}
