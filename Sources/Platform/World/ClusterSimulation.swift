import ControlPlane
import Primitives
import SimulationKernel
import Workload

/// One cluster, simulated: its lanes, what they share, and the order in which they run.
///
/// The order is one of two. *Exact*: whatever is next in (time, class, queue) order runs, so that everything happens
/// as if in one queue. *Epochs*: inside an epoch lanes run on their own, up to the time at which a reply could
/// reach them, and the shared part follows; what it sends unasked takes effect with the next epoch.
/// Both run the same lanes and the same components, and both are functions of the configuration alone.
public final class ClusterSimulation {
  public internal(set) var configuration: ClusterConfiguration
  public internal(set) var now = Instant.origin

  let topology: Topology
  let control: ControlShard
  var lanes: [any LaneModel]
  var demand: Demand
  let recorder: any RunRecorder

  /// By lane: messages sent, for the network's draws; how far it has run; what is next in it.
  var laneOrdinals: [UInt64]
  var horizons: [Instant]
  var laneNext: [Int64]
  /// Winner tree of the exact order: the shared part at 0, lane i at i + 1.
  var order: WinnerTree
  /// What the last row of the series knew of each lane.
  var reported: [LaneCounters]
  var seriesStart = Instant.origin
  var zoneCoreSeconds: [Double]
  /// By lane: a reply may come; its demand of this epoch has to be collected.
  var isAwaiting: [Bool]
  var hasDemand: [Bool]
  var demandLanes: [Int] = []

  public init(_ configuration: ClusterConfiguration, recorder: any RunRecorder) {
    self.configuration = configuration
    self.recorder = recorder
    topology = Topology(configuration)
    demand = Demand(
      nodeCores: topology.nodeCores,
      gatewayCount: configuration.zones.count * configuration.gateways.perZone,
      gatewayCapacity: configuration.gateways.capacityPerSecond ?? .infinity)
    control = ControlShard(
      configuration: configuration, topology: topology, recorder: recorder)
    let laneCount = topology.lanes.count
    lanes = []
    laneOrdinals = Array(repeating: 0, count: laneCount)
    horizons = Array(repeating: .origin, count: laneCount)
    laneNext = Array(repeating: 0, count: laneCount)
    order = WinnerTree(capacity: laneCount + 1)
    reported = Array(repeating: LaneCounters(), count: laneCount)
    isAwaiting = Array(repeating: false, count: laneCount)
    hasDemand = Array(repeating: false, count: laneCount)
    zoneCoreSeconds = Array(repeating: 0, count: configuration.zones.count)
    for lane in 0..<laneCount { lanes.append(makeLane(LaneID(lane))) }
    begin()
  }

  /// For forks: everything is given.
  init(fork other: ClusterSimulation, recorder: any RunRecorder) {
    configuration = other.configuration
    now = other.now
    topology = other.topology
    control = other.control.clone(recorder: recorder)
    demand = other.demand.clone()
    self.recorder = recorder
    laneOrdinals = other.laneOrdinals
    horizons = other.horizons
    laneNext = other.laneNext
    order = other.order.clone()
    reported = other.reported
    seriesStart = other.seriesStart
    zoneCoreSeconds = other.zoneCoreSeconds
    isAwaiting = other.isAwaiting
    hasDemand = other.hasDemand
    demandLanes = other.demandLanes
    lanes = []
    let surroundings = surroundings(epochEnd: .origin)
    lanes = other.lanes.map { $0.clone(surroundings: surroundings) }
  }

  /// A copy of the whole state that continues on its own, with a recorder of its own. The cost is linear in the
  /// bytes of state and does not depend on the time simulated.
  public func fork(recorder: any RunRecorder) -> ClusterSimulation {
    ClusterSimulation(fork: self, recorder: recorder)
  }

  func surroundings(epochEnd: Instant) -> LaneSurroundings {
    LaneSurroundings(
      nodeSlowdowns: UnsafePointer(demand.nodeSlowdowns),
      gatewaySlowdowns: UnsafePointer(demand.gatewaySlowdowns), epochEnd: epochEnd)
  }

  /// Simulates up to an instant, which must be a multiple of the epoch, and closes the rows of the series on the way.
  public func run(until end: Instant) throws {
    while now < end {
      let boundary = seriesStart + configuration.seriesInterval
      let stop = min(end, boundary)
      switch configuration.contention {
      case .exact: runExactly(until: stop)
      case .epoch: runEpochs(until: stop)
      }
      now = stop
      if stop == boundary { closeSeriesRow() }
      if let violation = lanes.lazy.compactMap({ $0.violation }).first {
        throw InvariantViolation(what: violation, at: now, seed: configuration.seed)
      }
    }
  }

  /// Closes what is open: integrals, buffers, the last row.
  public func finish() {
    for lane in lanes { lane.settle(at: now, recorder: recorder) }
    if seriesStart < now { closeSeriesRow() }
  }

  // MARK: Order

  /// Moves a lane's messages into the shared queue, in the order of sending.
  func collect(_ index: Int) {
    let lane = LaneID(index)
    lanes[index].drainOutbox { message in
      control.accept(message, from: lane, ordinal: laneOrdinals[index])
      laneOrdinals[index] += 1
    }
  }

  private func runExactly(until end: Instant) {
    let stop = Bound(time: end, rank: 0)
    refreshOrder()
    while order.minimum < stop.key {
      let queue = order.minimumIndex()
      let own = order.minimum
      order.set(queue, to: WinnerTree.absent)
      // Where two are equal the lower index goes first, one rank at a time.
      let bound = Bound(key: min(max(order.minimum, own + 1), stop.key))
      if queue == 0 {
        control.run(until: bound, stopsAtMail: true)
        deliverMail(notBefore: nil)
      } else {
        _ = lanes[queue - 1].run(
          until: bound, roundTrip: nil, epochEnd: end, recorder: recorder)
        collect(queue - 1)
        order.set(queue, to: lanes[queue - 1].next.key)
      }
      order.set(0, to: control.next().key)
    }
  }

  private func refreshOrder() {
    order.set(0, to: control.next().key)
    for index in lanes.indices { order.set(index + 1, to: lanes[index].next.key) }
  }

  /// Gives lanes their messages; in epoch order nothing unasked comes before `boundary`.
  func deliverMail(notBefore boundary: Instant?) {
    control.takeMail { mail in
      let index = mail.lane.index
      var at = max(mail.at, horizons[index])
      if let boundary, mail.isUnasked { at = max(at, boundary) }
      lanes[index].deliver(mail.delivery, at: at)
      if boundary == nil {
        order.set(index + 1, to: lanes[index].next.key)
      } else {
        laneNext[index] = min(laneNext[index], at.nanoseconds)
      }
    }
  }
}

extension Bound {
  /// Time and rank in one word, for the winner tree.
  var key: UInt64 {
    time == .distantFuture ? WinnerTree.absent : UInt64(time.nanoseconds) << 2 | UInt64(rank)
  }

  init(key: UInt64) {
    self =
      key == WinnerTree.absent
      ? .never : Bound(time: Instant(nanoseconds: Int64(key >> 2)), rank: UInt8(key & 3))
  }
}

/// A rule of the model was broken: the run's numbers are worth nothing.
public struct InvariantViolation: Error, Sendable, CustomStringConvertible {
  public var what: String
  public var at: Instant
  public var seed: UInt64

  public init(what: String, at: Instant, seed: UInt64) {
    self.what = what
    self.at = at
    self.seed = seed
  }

  public var description: String { "at \(at.seconds) s, seed \(seed): \(what)" }
}
