import ControlPlane
import Primitives
import SimulationKernel
import Workload

/// One cluster, simulated: its lanes, what they share, and the order in which they run.
///
/// The order is one of two. *Exact*: whatever is next in (time, class, queue) order runs, so that
/// everything happens as if in one queue. *Epochs*: inside an epoch lanes run on their own, up to
/// the time at which a reply could reach them, and the shared part follows; what it sends unasked
/// takes effect with the next epoch. Both run the same lanes and the same components, and both are
/// functions of the configuration alone.
public final class ClusterSimulation {
  public internal(set) var configuration: ClusterConfiguration
  public internal(set) var now = Instant.origin

  let topology: Topology
  let control: ControlShard
  var laneSet: LaneSet
  var agenda: LaneAgenda
  var demand: Demand
  let recorder: any RunRecorder

  /// Winner tree of the exact order: the shared part at 0, lane i at i + 1.
  var order: WinnerTree
  /// What the last row of the series knew of each lane.
  var reported: [LaneCounters]
  var seriesStart = Instant.origin
  /// Laws of service times that flow lanes share.
  var serviceShapes = ServiceShapes()
  let countBlocks: CountBlocks
  /// Requests a second of all services of a class, on average.
  let classRates: [TrafficClass: Double]
  /// By lane: arrivals when its fidelity was last reviewed.
  var reviewedArrivals: [UInt64]
  var reviewedAt = Instant.origin
  var zoomState = ZoomState()
  /// By zone that has the traffic: the balancer's weights, over all zones that it deals to, and
  /// which services they concern now.
  var zoneWeights: [[Int]]
  var isRerouted: [Bool]
  /// Pushes that hold, in the order in which they came about: places among the faults.
  var heldPushes: [Int] = []

  public init(_ configuration: ClusterConfiguration, recorder: any RunRecorder) {
    self.configuration = configuration
    self.recorder = recorder
    topology = Topology(configuration)
    demand = Demand(
      nodeCores: topology.nodeCores, nodeZones: topology.usageZones,
      zoneCount: configuration.zones.count + 1,
      entries: configuration.entries, epochSeconds: configuration.epoch.seconds,
      key: StreamKey(
        seed: configuration.seed, replication: configuration.replication, name: "gateway load"),
      shedding: configuration.shedding, downstreams: configuration.downstreams)
    demand.downstreams.take(configuration.faults)
    control = ControlShard(
      configuration: configuration, topology: topology, recorder: recorder)
    let laneCount = topology.lanes.count
    countBlocks = CountBlocks(places: configuration.services.map(\.placeCount))
    classRates = configuration.services.reduce(into: [:]) {
      $0[$1.trafficClass, default: 0] += $1.meanRatePerSecond
    }
    laneSet = LaneSet(configuration: configuration, topology: topology)
    agenda = LaneAgenda(count: laneCount)
    order = WinnerTree(capacity: laneCount + 1)
    reported = Array(repeating: LaneCounters(), count: laneCount)
    reviewedArrivals = Array(repeating: 0, count: laneCount)
    zoneWeights = control.balancer.map { Self.homeWeights($0, configuration) } ?? []
    isRerouted = configuration.services.map { _ in false }
    for lane in 0..<laneCount { laneSet.lanes.append(makeLane(LaneID(lane))) }
    begin()
    reviewFidelities()
    followZoom()
  }

  /// For forks: everything is given.
  init(fork other: ClusterSimulation, recorder: any RunRecorder) {
    configuration = other.configuration
    now = other.now
    topology = other.topology
    control = other.control.clone(recorder: recorder)
    demand = other.demand.clone()
    self.recorder = recorder
    order = other.order.clone()
    reported = other.reported
    seriesStart = other.seriesStart
    serviceShapes = other.serviceShapes
    countBlocks = CountBlocks(places: other.configuration.services.map(\.placeCount))
    classRates = other.classRates
    reviewedArrivals = other.reviewedArrivals
    reviewedAt = other.reviewedAt
    zoomState = other.zoomState
    zoneWeights = other.zoneWeights
    isRerouted = other.isRerouted
    heldPushes = other.heldPushes
    laneSet = other.laneSet
    agenda = LaneAgenda(count: other.laneSet.lanes.count)
    let surroundings = surroundings(epochEnd: .origin)
    laneSet.lanes = other.laneSet.lanes.map { $0.clone(surroundings: surroundings) }
    laneSet.noteInterference()
  }

  /// A copy of the whole state that continues on its own, with a recorder of its own. The cost is
  /// linear in the bytes of state and does not depend on the time simulated.
  public func fork(recorder: any RunRecorder) -> ClusterSimulation {
    ClusterSimulation(fork: self, recorder: recorder)
  }

  func surroundings(epochEnd: Instant) -> LaneSurroundings {
    LaneSurroundings(
      nodeSlowdowns: UnsafePointer(demand.nodeSlowdowns),
      gatewaySlowdowns: UnsafePointer(demand.gateways.slowdowns),
      countBlocks: countBlocks.blocks,
      admittedShares: UnsafePointer(demand.shedding.admittedShares),
      downstreamRefusals: UnsafePointer(demand.downstreams.refusals),
      downstreamStepRefusals: UnsafePointer(demand.downstreams.stepRefusals), epochEnd: epochEnd)
  }

  /// Simulates up to an instant, which must be a multiple of the epoch, and closes the rows of the
  /// series on the way.
  public func run(until end: Instant) throws {
    while now < end {
      let boundary = seriesStart + configuration.seriesInterval
      let (review, zoom) = (nextReview, nextZoom)
      var stop = min(end, boundary, review, zoom)
      switch configuration.contention {
      case .exact: runExactly(until: stop)
      case .epoch:
        laneSet.runEpochs(
          from: now, until: stop, control: control, agenda: &agenda, demand: &demand,
          recorder: recorder)
      }
      // Weights that were decided on the way take effect before the stop.
      stop = min(stop, control.nextReroute)
      now = stop
      // Before a lane may change its form.
      for index in laneSet.touched {
        guard let violation = laneSet.lanes[index].violation else { continue }
        throw InvariantViolation(what: violation, at: now, seed: configuration.seed)
      }
      if stop == boundary { closeSeriesRow() }
      if stop == control.nextReroute { reroute() }
      if stop == review { reviewFidelities() }
      if stop == zoom { followZoom() }
    }
  }

  /// Closes what is open: integrals, buffers, the last row.
  public func finish() {
    for lane in lanes { lane.settle(at: now, recorder: recorder) }
    if seriesStart < now { closeSeriesRow() }
  }

  // MARK: Order

  var lanes: [any LaneModel] { laneSet.lanes }

  private func runExactly(until end: Instant) {
    let stop = Bound(time: end, rank: 0)
    refreshOrder()
    while order.minimum < min(stop.key, Bound(time: control.nextReroute, rank: 0).key) {
      let queue = order.minimumIndex()
      let own = order.minimum
      order.set(queue, to: WinnerTree.absent)
      // Where two are equal the lower index goes first, one rank at a time.
      let bound = Bound(key: min(max(order.minimum, own + 1), stop.key))
      if queue == 0 {
        control.run(until: bound, stopsAtMail: true)
        deliverMail()
      } else {
        _ = lanes[queue - 1].run(
          until: bound, roundTrip: nil, epochEnd: end, recorder: recorder)
        laneSet.collect(queue - 1, into: control)
        laneSet.noteReady(queue - 1)
        laneSet.touch(queue - 1)
        if !laneSet.detours.isEmpty {
          // Regions have no exact order, so that nobody leaves for another cluster.
          _ = laneSet.moveRetries(of: queue - 1, to: bound.time) { target in
            laneSet.touch(target)
            order.set(target + 1, to: lanes[target].next.key)
          }
        }
        order.set(queue, to: lanes[queue - 1].next.key)
      }
      order.set(0, to: control.next().key)
    }
  }

  private func refreshOrder() {
    order.set(0, to: control.next().key)
    for index in lanes.indices { order.set(index + 1, to: lanes[index].next.key) }
  }

  /// Gives lanes their messages in exact order.
  private func deliverMail() {
    var mails = control.takeMail()
    for mail in mails {
      let index = mail.lane.index
      lanes[index].deliver(mail.delivery, at: mail.at)
      order.set(index + 1, to: lanes[index].next.key)
    }
    control.recycle(&mails)
  }
}

extension Bound {
  /// Time and rank in one word, for the winner tree.
  var key: UInt64 {
    // What lies beyond the longest time that can be drawn is as good as never.
    time.nanoseconds >= 1 << 61
      ? WinnerTree.absent : UInt64(time.nanoseconds) << 2 | UInt64(rank)
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
