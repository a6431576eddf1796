import ControlPlane
import Primitives
import Workload

// A cluster that is watched: single invocations of lanes, and messages and decisions of what they
// share.
extension ClusterSimulation {
  /// Carries lanes over to request fidelity, which they keep: those that choose for themselves do
  /// so no more. Returns how many could not be now, because they await an answer; ask again later.
  public func zoom(_ ids: some Sequence<LaneID>) -> Int {
    if configuration.fidelity == .auto { configuration.fidelity = .request }
    keepZoomed(ids)
    var left = 0
    for id in ids where fidelity(of: id) == .flow && !handOver(lane: id, to: .request) {
      left += 1
    }
    return left
  }

  /// From now on lanes tell of every invocation that comes. Lanes at flow fidelity have none; a
  /// lane that changes its fidelity is watched no more, nor are forks.
  ///
  /// - Parameter candidates: instances that are told of with each arrival, at most.
  public func watch(
    _ ids: some Sequence<LaneID>, into recorder: any TraceRecorder, candidates: Int = 0
  ) {
    for id in ids {
      (lanes[id.index] as? RequestLane)?.engine.core.watch(
        LaneTracer(recorder, candidates: candidates))
    }
  }

  /// From now on what the lanes share tells of its messages and decisions.
  public func watchControl(into recorder: any TraceRecorder) { control.tracer = recorder }

  /// Nobody is told of anything from now on.
  public func endWatching() {
    control.tracer = nil
    for case let lane as RequestLane in lanes { lane.engine.core.watch(nil) }
  }

  public func lanes(of service: ServiceID) -> Range<Int> {
    let first = topology.firstLane[service.index]
    return first..<first + configuration.services[service.index].zones.count
  }

  /// Warm pods of a pool now.
  public func level(of pool: PoolID) -> Int { control.kubernetes.warm[pool.index].count }

  /// Whether a lane serves requests that come once: neither messages nor events of a store, nor
  /// what clients try again.
  public func isOfRequests(_ lane: LaneID) -> Bool {
    let service = configuration.services[place(of: lane).service.index]
    return service.topic == nil && service.notifications == nil && service.clients == nil
  }

  /// What the workload sends to each place of a service, those in other clusters among them, with
  /// its surges.
  public func arrivals(of service: ServiceID) -> [any ArrivalSource] {
    let configuration = configuration.services[service.index]
    return (0..<configuration.placeCount).map { arrivals(of: configuration, place: $0) }
  }

  public func isOfMessages(_ lane: LaneID) -> Bool {
    configuration.services[place(of: lane).service.index].topic != nil
  }

  /// The number in the cluster of a gateway or consumer of a lane.
  public func entry(of lane: LaneID, part: Int) -> Int {
    topology.laneGateways[lane.index][part]
  }

  /// Where an address is; nil: in the cluster's control plane, which is in no zone.
  public func zone(of address: Address) -> ZoneID? {
    let place = topology.place(of: address)
    return place == .controlPlane ? nil : ZoneID(Int(place.raw))
  }
}

extension ControlShard {
  /// Nodes that are named with a placement, at most.
  static let namedNodes = 5

  /// Tells of a message that leaves; without an arrival it is lost.
  func traceSent(
    _ message: ControlMessage, from: Address, to address: Address, _ departure: Instant,
    arrivesAt: Instant?, extra: Nanoseconds
  ) {
    tracer?.sent(
      TracedMessage(
        message: message, from: from, to: address, leftAt: departure, arrivesAt: arrivesAt,
        extra: extra))
  }

  func traceTake(
    _ start: StartRequest, _ pool: PoolID, manager: Int, isHit: Bool, at now: Instant
  ) {
    guard let tracer else { return }
    let level = managers[manager].pools[pool.index]?.level ?? 0
    tracer.decided(
      .took(start, pool, manager: manager, isHit: isHit, level: level, at: now))
  }

  /// Tells how the nodes stand before a pod is placed.
  func traceCandidates(_ order: PodOrder, table: Int, at now: Instant) {
    guard let tracer else { return }
    let shape = shape(of: order.pool)
    let nodes = kubernetes.nodeTables[table]
    let found = nodes.candidates(cpuMilli: shape.cpuMilli, memoryMiB: shape.memoryMiB)
    let best = found.prefix(Self.namedNodes).map {
      (node: NodeID(kubernetes.layout.tables[table][$0.node]), score: $0.score)
    }
    tracer.decided(
      .considered(
        order, zone: configuration.pools[order.pool.index].zone, nodes: nodes.count,
        fitting: found.count, best: best, at: now))
  }
}
