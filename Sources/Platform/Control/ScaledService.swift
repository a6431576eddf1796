import ControlPlane
import Policies
import Primitives

/// One service under AutoScale: its policy, and what is known of its parts.
struct ScaledService: Sendable {
  /// A part and where it is.
  struct Place: Sendable {
    let lane: LaneID
    let pool: PoolID
    let part: Int
    /// Of the lane in the service.
    let position: Int
    /// Whether Kubernetes knows of all starts here that are under way.
    let isCounted: Bool
  }

  /// Where starts wait at a Worker Manager, for a refill or for room in a worker process, of which
  /// Kubernetes knows nothing, an order of which nothing was heard so long after Kubernetes'
  /// deadline for starts is taken for lost: Knative's rule, whose default deadline is 600 s
  /// (serving, `config-deployment` and the scaler's `activationTimeoutBuffer`). Elsewhere
  /// Kubernetes is asked.
  static let patience = Nanoseconds.seconds(30)

  let service: ServiceID
  private var policy: any ScalingPolicy
  private let places: [Place]
  /// By lane.
  private let zones: [ZoneID]
  /// A zone has come back, and instances have not been moved there yet.
  private var isUneven = false
  private var parts: [ScaledPart]
  /// By lane: its first part, and the last second in which it had load.
  private let firstPart: [Int]
  private var lastLoad: [Instant?]
  private let memory: Nanoseconds
  private let startDeadline: Nanoseconds
  private var bounds: ClosedRange<Int>?
  private let podMemoryBaseMiB: Int64
  private let memoryPerRequestMiB: Double
  /// Of the service's topic, lane by lane, and where each lane's begin.
  private var partitions: [PartitionOffsets] = []
  private var firstPartition: [Int] = []
  /// The latest second that a sample was about; offsets come with their lane's sample.
  private var heardOf = Instant.origin

  /// Parts lane by lane, without instances.
  ///
  /// - Parameter isCounted: whether Kubernetes knows of all starts from a pool that are under way.
  init(
    _ index: Int, _ configuration: ServiceConfiguration, scaling: ScalingConfiguration,
    startDeadline: Nanoseconds, topology: Topology, isCounted: (PoolID) -> Bool
  ) {
    service = ServiceID(index)
    zones = configuration.zones
    policy = scaling.makePolicy()
    memory = scaling.memory
    self.startDeadline = startDeadline
    bounds = scaling.bounds
    podMemoryBaseMiB = scaling.podMemoryBaseMiB
    memoryPerRequestMiB = scaling.memoryPerRequestMiB
    for position in configuration.zones.indices {
      firstPartition.append(partitions.count)
      let count =
        configuration.topic?.partitions(lane: position, of: configuration.zones.count) ?? 0
      partitions += Array(repeating: PartitionOffsets(committed: 0, logEnd: 0), count: count)
    }
    var places: [Place] = []
    var parts: [ScaledPart] = []
    var first: [Int] = []
    for position in configuration.zones.indices {
      let lane = LaneID(topology.firstLane[index] + position)
      let count = topology.laneGateways[lane.index].count
      first.append(parts.count)
      for part in 0..<count {
        let rules = configuration.rules(lane: position, part: part, of: count)
        let pool = topology.lanePool[lane.index]
        places.append(
          Place(
            lane: lane, pool: pool, part: part, position: position, isCounted: isCounted(pool)))
        parts.append(ScaledPart(least: rules.minimumInstances, most: rules.maximumInstances))
      }
    }
    self.places = places
    self.parts = parts
    firstPart = first
    lastLoad = Array(repeating: nil, count: first.count)
  }

  func clone() -> ScaledService {
    var copy = self
    copy.policy = policy.clone()
    return copy
  }

  /// The parts of a lane have other limits, and so has the service.
  mutating func limit(position: Int, _ rules: [RouterRules], within bounds: ClosedRange<Int>) {
    self.bounds = bounds
    for (part, rules) in rules.enumerated() {
      parts[firstPart[position] + part].least = rules.minimumInstances
      parts[firstPart[position] + part].most = rules.maximumInstances
    }
  }

  mutating func adopt(position: Int, part: Int) { parts[firstPart[position] + part].adopt() }

  /// The latest so many orders of a part will not be made.
  mutating func withdrawn(_ count: Int, position: Int, part: Int) {
    parts[firstPart[position] + part].withdrawn(count)
  }

  /// Kubernetes has so many of a part's orders; true when some are lost.
  mutating func counted(_ count: Int, question: UInt32, position: Int, part: Int) -> Bool {
    parts[firstPart[position] + part].counted(count, question: question)
  }

  /// Takes a sample; true when the policy may answer otherwise because of it.
  mutating func observe(_ sample: PartSample, position: Int, part: Int) -> Bool {
    let isNews = parts[firstPart[position] + part].take(sample)
    // The load of a lane comes with its first part.
    guard part == 0 else { return isNews }
    let second = Instant.seconds(Int64(sample.second))
    heardOf = max(heardOf, second)
    let isPolicyNews = policy.observe(signals(sample, position), at: heardOf)
    guard sample.concurrencyMilli > 0 || sample.lag > 0 else { return isNews || isPolicyNews }
    lastLoad[position] = second
    return true
  }

  /// What the policy is told of a lane.
  private func signals(_ sample: PartSample, _ position: Int) -> ScalingSample {
    let end = position + 1 < firstPart.count ? firstPart[position + 1] : parts.count
    let lane = parts[firstPart[position]..<end]
    let ready = lane.reduce(0) { $0 + $1.usable }
    let concurrency = Double(sample.concurrencyMilli) / 1000
    let memory = Double(Int64(ready) * podMemoryBaseMiB) + concurrency * memoryPerRequestMiB
    return ScalingSample(
      lane: position, concurrencyMilli: Int64(sample.concurrencyMilli),
      cpuMilli: Int64(sample.cpuMilli), memoryMiB: Int64(memory.rounded()),
      lag: partitions.isEmpty ? nil : Int64(sample.lag), ready: ready,
      unready: lane.reduce(0) { $0 + $1.coming })
  }

  /// Takes the offsets of a partition; true when the policy may answer otherwise because of it.
  mutating func observe(
    _ offsets: PartitionOffsets, partition: Int, position: Int
  ) -> Bool {
    let index = firstPartition[position] + partition
    guard partitions[index] != offsets else { return false }
    partitions[index] = offsets
    return policy.observe(ScalingSample(lane: position, partitions: partitions), at: heardOf)
  }

  /// The zone of a lane is gone, or there again; false where the lane is in another.
  mutating func setClosed(_ isClosed: Bool, in zone: ZoneID, position: Int) -> Bool {
    guard zones[position] == zone else { return false }
    let end = position + 1 < firstPart.count ? firstPart[position + 1] : parts.count
    for index in firstPart[position]..<end { parts[index].setClosed(isClosed) }
    lastLoad[position] = nil
    // Instances were made elsewhere meanwhile, and requests of this zone cannot go there.
    if !isClosed { isUneven = true }
    _ = policy.observe(
      ScalingSample(lane: position, concurrencyMilli: 0, cpuMilli: 0, ready: 0, unready: 0),
      at: heardOf)
    return true
  }

  /// From now on the service may have so many instances, shared out as its limits are.
  mutating func setMost(_ most: Int) {
    for index in parts.indices {
      let position = places[index].position
      let end = position + 1 < firstPart.count ? firstPart[position + 1] : parts.count
      let lane = EvenShare.of(most, at: position, among: firstPart.count)
      parts[index].most = EvenShare.of(
        lane, at: places[index].part, among: end - firstPart[position])
    }
  }

  // MARK: Deciding

  /// Asks the policy and orders what is missing or too much; returns when to ask again at the
  /// latest. O(parts), and O(parts) for each instance ordered or given up.
  mutating func decide(
    at now: Instant, nextOrdinal: inout UInt32, into orders: inout [Autoscaler.Order]
  ) -> Instant {
    for index in parts.indices {
      lookAfterOrders(of: index, at: now, into: &orders)
      let load = lastLoad[places[index].position]
      parts[index].isInUse = load.map { $0 + memory > now } ?? false
    }
    let ready = parts.reduce(0) { $0 + $1.usable }
    let coming = parts.reduce(0) { $0 + $1.coming }
    var desired = policy.desiredPods(ready: ready, at: now)
    if let bounds { desired = min(max(desired, bounds.lowerBound), bounds.upperBound) }
    if desired < ready + coming {
      withdraw(ready + coming - max(desired, ready), at: now, into: &orders)
    }
    if desired > ready + coming {
      grow(by: desired - ready - coming, at: now, &nextOrdinal, into: &orders)
    } else if desired < ready {
      shrink(by: ready - desired, toZero: desired == 0, into: &orders)
    } else if isUneven, coming == 0, desired > 0 {
      // One more where there are the fewest; when it is there, the fullest part gives one up.
      isUneven = EvenSpread.isUneven(parts)
      if isUneven { grow(by: 1, at: now, &nextOrdinal, into: &orders) }
    }
    // While anything is under way every tick asks. Load that goes on brings samples.
    let isSteady = desired == ready && coming == 0 && !isUneven
    return isSteady ? policy.unchangedUntil(at: now) : now
  }

  /// Finds out what has become of orders that nothing was heard of.
  private mutating func lookAfterOrders(
    of index: Int, at now: Instant, into orders: inout [Autoscaler.Order]
  ) {
    parts[index].forgetWithdrawal(at: now)
    let place = places[index]
    guard place.isCounted else {
      return parts[index].forgetOrders(before: now - startDeadline - Self.patience)
    }
    guard let question = parts[index].asksAboutOrders(at: now) else { return }
    orders.append(.count(place.lane, part: place.part, question: question))
  }

  private mutating func grow(
    by count: Int, at now: Instant, _ nextOrdinal: inout UInt32,
    into orders: inout [Autoscaler.Order]
  ) {
    for _ in 0..<count {
      guard let index = EvenSpread.fewest(parts) else { return }
      let place = places[index]
      var start = StartRequest(
        service: service, lane: place.lane, part: place.part, pool: place.pool,
        ordinal: nextOrdinal)
      start.isAhead = true
      start.knownStarts = UInt16(clamping: parts[index].instances.starting)
      nextOrdinal += 1
      parts[index].order(at: now)
      orders.append(.up(start))
    }
  }

  /// Orders beyond what is wanted are withdrawn as far as their pods have no machine yet: as
  /// Kubernetes' ReplicaSet does, which deletes pods without a node first.
  private mutating func withdraw(
    _ count: Int, at now: Instant, into orders: inout [Autoscaler.Order]
  ) {
    guard parts.contains(where: { !$0.orderedAt.isEmpty }) else { return }
    var taken = Array(repeating: 0, count: parts.count)
    for _ in 0..<count {
      guard let index = EvenSpread.fullestToWithdraw(parts, less: taken) else { break }
      taken[index] += 1
    }
    for index in parts.indices where taken[index] > 0 {
      parts[index].withdraw(at: now)
      let place = places[index]
      orders.append(.withdraw(place.lane, part: place.part, count: taken[index]))
    }
  }

  private mutating func shrink(
    by count: Int, toZero: Bool, into orders: inout [Autoscaler.Order]
  ) {
    var isChanged = Array(repeating: false, count: parts.count)
    for _ in 0..<count {
      guard let index = EvenSpread.fullest(parts, toZero: toZero) else { break }
      parts[index].shrink(to: parts[index].usable - 1)
      isChanged[index] = true
    }
    for index in parts.indices where isChanged[index] {
      let place = places[index]
      orders.append(.down(place.lane, part: place.part, to: parts[index].usable))
    }
  }
}
