import ControlPlane
import Policies
import Primitives
import SimulationKernel

/// A message for a lane, at the instant at which it arrives there.
struct LaneMail {
  var lane: LaneID
  var delivery: Delivery
  var at: Instant
  /// Nobody in the lane waits for it: in epoch order it takes effect with the next epoch.
  var isUnasked: Bool
}

/// What the cluster's lanes share: Dispatchers, Worker Managers, HostAgents, code caches,
/// Kubernetes, etcd, AutoScale, and the nodes' processors where these are exact. One queue, in
/// (time, class, sequence) order.
final class ControlShard {
  // What messages go through is not checked for exclusive access at run time, which would cost
  // a sixth of a run of the control plane: effects are handled after the machine that gave them has
  // returned, so that no call comes back to what it left open.

  let configuration: ClusterConfiguration
  let topology: Topology
  @exclusivity(unchecked) var queue: ChosenQueue<ControlEvent>
  @exclusivity(unchecked) var network: Network
  @exclusivity(unchecked) var digest = Digest()
  @exclusivity(unchecked) var executed: UInt64 = 0
  @exclusivity(unchecked) var mail: [LaneMail] = []
  @exclusivity(unchecked) var effects = ControlEffects()
  /// Empty, and only kept for their memory: what takes the place of `mail` and of `effects` while
  /// these are worked off.
  @exclusivity(unchecked) var spareMail: [LaneMail] = []
  @exclusivity(unchecked) var spareEffects: [ControlEffects.Effect] = []
  let recorder: any RunRecorder
  /// Whoever watches messages and decisions; nil: nobody. Forks have none.
  @exclusivity(unchecked) var tracer: (any TraceRecorder)?

  @exclusivity(unchecked) var dispatchers: [Dispatcher]
  @exclusivity(unchecked) var dispatcherServers: [Server]
  @exclusivity(unchecked) var managers: [WorkerManager]
  @exclusivity(unchecked) var managerServers: [Server]
  @exclusivity(unchecked) var isManagerUp: [Bool]
  @exclusivity(unchecked) var isDispatcherUp: [Bool]
  /// Those that have crashed: when their zone has power again they are not back with it.
  var crashedManagers: Set<Int> = []
  var crashedDispatchers: Set<Int> = []
  /// Restarts of each Dispatcher.
  var dispatcherLives: [UInt32]
  /// What goes wrong, in the order of arming.
  var faults: [FaultConfiguration]
  /// By zone: whether it is lost, how often it was, whether Kubernetes knows, and the pods that
  /// went with it and nobody has been told of.
  @exclusivity(unchecked) var isZoneLost: [Bool]
  var zoneLosses: [UInt32]
  var isLossKnown: [Bool]
  var lostPods: [[LostPod]]
  @exclusivity(unchecked) var lostZones = 0
  /// By node: whether it is lost by itself; by fault, asked only for keys: the pods that went with
  /// its nodes and nobody has been told of.
  @exclusivity(unchecked) var isNodeLost: [Bool]
  @exclusivity(unchecked) var lostNodes = 0
  var podsOfLoss: [Int: [LostPod]] = [:]
  /// Gateways, and nodes by the HostAgents on them, that have crashed; asked only for members. How
  /// often each node's has.
  var gatewaysDown: Set<Int> = []
  @exclusivity(unchecked) var agentsDown: Set<Int> = []
  @exclusivity(unchecked) var agentLives: [UInt32]
  /// By Dispatcher that has crashed, asked only for keys: the fault, until somebody has turned to
  /// another Dispatcher for what was its own.
  var missedDispatchers: [Int: Int] = [:]
  /// Until when AutoScale is at the round that it is at, where it is slow.
  var autoscaleBusyUntil = Instant.origin
  /// By Worker Manager, asked only for keys: until when its clock may have it trust a lease that
  /// has run out.
  var leaseDoubts: [Int: Instant] = [:]
  /// The region's balancer; nil where there is one zone. When weights of it take effect next, which
  /// every epoch asks for.
  var balancer: ZoneBalancer? {
    didSet { nextReroute = balancer?.next ?? .distantFuture }
  }
  @exclusivity(unchecked) private(set) var nextReroute = Instant.distantFuture
  /// Who decides on broken instances; nil where nobody breaks any.
  var coordinator: HostedCoordinator?
  /// Who hands out central limits; nil where there are none. And whether both are there.
  var quotas: HostedQuotas?
  var isCoordinatorUp = true
  @exclusivity(unchecked) var managerIncarnations: [UInt32]
  /// The earliest alarm set for each Worker Manager, so that a later wish sets no second one.
  @exclusivity(unchecked) var managerAlarms: [Instant]
  @exclusivity(unchecked) var hostAgents: [HostAgent]
  var zoneCaches: [ZoneCodeCache]
  var etcd: EtcdServer
  @exclusivity(unchecked) var kubernetes: Kubernetes
  @exclusivity(unchecked) var pods = PodDirectory()
  /// What Kubernetes knows of AutoScale's starts, and of pods whose agents wait to be told of
  /// theirs.
  var startOrders = StartOrders()
  var unloaded = UnloadedPods()
  @exclusivity(unchecked) var autoscaler: Autoscaler
  /// Orders of AutoScale in the order of sending, and how often those went out again that no
  /// Dispatcher has acknowledged; asked only for keys.
  @exclusivity(unchecked) var orders = DeadlineRing<StartRequest>()
  var orderAttempts: [UInt64: Int] = [:]
  var isOrderAlarmSet = false
  /// The Cluster Autoscaler and the supply of machines; nil where there are no node pools.
  var nodeScaler: NodeScaler?
  /// By tenant: milli-cores of the largest pod of its services.
  let tenantSizes: [Int64]
  /// Since when capacity is counted.
  var countedSince = Instant.origin
  var reportedAt = Instant.origin
  var processors: [ProcessorSharing]
  var agentClocks: [LocalClock]
  /// The earliest alarm set for each HostAgent.
  @exclusivity(unchecked) var agentAlarms: [Instant]
  /// By pool: refills begun.
  var refillsBegun: [UInt64]
  /// Pods that were claimed and never became ready.
  var podsAbandoned: UInt64 = 0
  @exclusivity(unchecked) var starts = StartLog()
  var evictor: Evictor
  /// By pool: its target, what was taken, the integral of its level, and up to when.
  @exclusivity(unchecked) var poolTargets: [Int]
  @exclusivity(unchecked) var poolAlarms: [Int]
  @exclusivity(unchecked) var poolTallies: [PoolSummary]
  @exclusivity(unchecked) var poolSeconds: [Double]
  @exclusivity(unchecked) var traffic: ComponentTraffic
  /// What isolates have taken of worker processes and given back.
  var hostTally = HostSummary()
  @exclusivity(unchecked) var levelsAt: [Instant]
  /// Ready pods of those pools whose sizes follow them.
  @exclusivity(unchecked) var readyPods: ReadyPods
  /// When etcd looks for expired leases next; an alarm for any other instant is void.
  var nextScan = Instant.origin
  /// The time of the last event.
  @exclusivity(unchecked) var queueTime = Instant.origin
  /// Messages by sender, for the network's draws; counted only where something can be lost, and
  /// asked only for keys.
  var plainOrdinals: [UInt64: UInt64] = [:]
  /// What faults do to messages and dependencies now, and what waits for their end.
  @exclusivity(unchecked) var conditions = NetworkConditions()
  var postponed: [PostponedEvent] = []
  /// Images that machines have brought, as node and runtime; asked only for members.
  var images: Set<UInt64> = []
  var keys: ControlKeys

  init(
    configuration: ClusterConfiguration, topology: Topology, recorder: any RunRecorder
  ) {
    self.configuration = configuration
    self.topology = topology
    self.recorder = recorder
    queue = ChosenQueue(configuration.queue)
    let seed = configuration.seed
    keys = ControlKeys(
      seed: seed ^ configuration.drawKey, replication: configuration.replication)
    network = Network(configuration.network, lossKey: keys.loss.raw)
    dispatchers = topology.makeDispatchers(configuration)
    dispatcherServers = topology.makeServers(
      configuration.dispatchers.count, handling: configuration.dispatchers.handling,
      key: keys.clock.appending(1))
    let servers = topology.makeServers(
      configuration.workerManagers.count, handling: configuration.workerManagers.handling,
      key: keys.clock.appending(2))
    managerServers = servers
    managers = servers.indices.map {
      topology.makeManager($0, life: 0, clock: servers[$0].clock, at: .origin, configuration)
    }
    isManagerUp = Array(repeating: true, count: configuration.workerManagers.count)
    isDispatcherUp = dispatchers.map { _ in true }
    dispatcherLives = dispatchers.map { _ in 0 }
    faults = configuration.faults
    isZoneLost = configuration.zones.map { _ in false }
    zoneLosses = configuration.zones.map { _ in 0 }
    isLossKnown = isZoneLost
    isNodeLost = topology.nodeZones.map { _ in false }
    lostPods = configuration.zones.map { _ in [] }
    balancer = ZoneBalancer(configuration)
    coordinator = HostedCoordinator(configuration)
    quotas = HostedQuotas(configuration)
    managerIncarnations = Array(repeating: 0, count: configuration.workerManagers.count)
    managerAlarms = Array(repeating: .distantFuture, count: configuration.workerManagers.count)
    let retry = RetryRules(
      timeout: configuration.workerManagers.rules.retry,
      pollInterval: configuration.workerManagers.rules.pollInterval,
      attempts: configuration.workerManagers.rules.attempts)
    hostAgents = topology.nodeZones.enumerated().map { node, zone in
      HostAgent(
        node: NodeID(node), zone: zone,
        // Pods of a virtual node are on machines that have nothing in common.
        cacheBytes: topology.nodes.isVirtual(NodeID(node))
          ? 0 : configuration.code.nodeCacheBytes,
        retry: retry, dispatchers: topology.dispatcherOrder)
    }
    agentClocks = topology.makeClocks(topology.nodeZones.count, key: keys.clock.appending(3))
    agentAlarms = topology.nodeZones.map { _ in .distantFuture }
    agentLives = topology.nodeZones.map { _ in 0 }
    refillsBegun = configuration.pools.map { _ in 0 }
    zoneCaches = configuration.zones.map { _ in
      ZoneCodeCache(cacheBytes: configuration.code.zoneCacheBytes)
    }
    etcd = EtcdServer(shards: configuration.workerManagers.shards)
    kubernetes = Kubernetes(configuration, topology.nodes)
    nodeScaler = NodeScaler(configuration, topology.nodes, keys)
    tenantSizes = configuration.tenants.indices.map { tenant in
      configuration.services.filter { $0.tenant == tenant }
        .map { configuration.shapes[$0.shape].cpuMilli }.max() ?? 0
    }
    autoscaler = Autoscaler(configuration, topology)
    processors = Self.exactProcessors(configuration, topology)
    evictor = Evictor(
      rule: configuration.kubernetes.eviction, services: configuration.services.count,
      zones: configuration.zones.count)
    traffic = ComponentTraffic(dispatchers: configuration.dispatchers.count)
    readyPods = ReadyPods(configuration)
    poolTargets = configuration.pools.map(\.target)
    poolAlarms = configuration.pools.map(\.rules.alarmBelow)
    poolTallies = configuration.pools.map { _ in PoolSummary() }
    poolSeconds = configuration.pools.map { _ in 0 }
    levelsAt = configuration.pools.map { _ in .origin }
    mail.reserveCapacity(256)
    spareMail.reserveCapacity(256)
  }

  init(cloning other: ControlShard, recorder: any RunRecorder) {
    configuration = other.configuration
    topology = other.topology
    self.recorder = recorder
    queue = other.queue.clone()
    network = other.network
    digest = other.digest
    executed = other.executed
    mail = other.mail
    dispatchers = other.dispatchers
    dispatcherServers = other.dispatcherServers
    managers = other.managers.map { $0.clone() }
    managerServers = other.managerServers
    isManagerUp = other.isManagerUp
    isDispatcherUp = other.isDispatcherUp
    crashedManagers = other.crashedManagers
    crashedDispatchers = other.crashedDispatchers
    dispatcherLives = other.dispatcherLives
    faults = other.faults
    isZoneLost = other.isZoneLost
    zoneLosses = other.zoneLosses
    isLossKnown = other.isLossKnown
    lostPods = other.lostPods
    lostZones = other.lostZones
    isNodeLost = other.isNodeLost
    lostNodes = other.lostNodes
    podsOfLoss = other.podsOfLoss
    balancer = other.balancer
    nextReroute = other.nextReroute
    coordinator = other.coordinator
    quotas = other.quotas
    isCoordinatorUp = other.isCoordinatorUp
    managerIncarnations = other.managerIncarnations
    managerAlarms = other.managerAlarms
    hostAgents = other.hostAgents
    zoneCaches = other.zoneCaches
    etcd = other.etcd
    kubernetes = other.kubernetes
    pods = other.pods
    startOrders = other.startOrders
    unloaded = other.unloaded
    nodeScaler = other.nodeScaler
    tenantSizes = other.tenantSizes
    countedSince = other.countedSince
    reportedAt = other.reportedAt
    autoscaler = other.autoscaler.clone()
    orders = other.orders
    orderAttempts = other.orderAttempts
    isOrderAlarmSet = other.isOrderAlarmSet
    processors = other.processors
    agentClocks = other.agentClocks
    agentAlarms = other.agentAlarms
    gatewaysDown = other.gatewaysDown
    agentsDown = other.agentsDown
    agentLives = other.agentLives
    missedDispatchers = other.missedDispatchers
    autoscaleBusyUntil = other.autoscaleBusyUntil
    leaseDoubts = other.leaseDoubts
    refillsBegun = other.refillsBegun
    podsAbandoned = other.podsAbandoned
    starts = other.starts
    evictor = other.evictor
    readyPods = other.readyPods
    poolTargets = other.poolTargets
    poolAlarms = other.poolAlarms
    poolTallies = other.poolTallies
    traffic = other.traffic
    hostTally = other.hostTally
    poolSeconds = other.poolSeconds
    levelsAt = other.levelsAt
    nextScan = other.nextScan
    queueTime = other.queueTime
    plainOrdinals = other.plainOrdinals
    conditions = other.conditions
    postponed = other.postponed
    images = other.images
    keys = other.keys
  }

  // MARK: Time

  func next() -> Bound {
    let key = queue.nextKey()
    return Bound(time: key.time, rank: key.class.raw)
  }

  /// Runs what comes before `bound`; with `stopsAtMail` only until there is something for a lane.
  func run(until bound: Bound, stopsAtMail: Bool) {
    while next() < bound {
      let event = queue.pop()
      executed += 1
      queueTime = event.time
      handle(event.payload, at: event.time)
      if stopsAtMail && !mail.isEmpty { return }
    }
  }

  func schedule(_ event: ControlEvent, at instant: Instant, class rank: EventClass) {
    _ = queue.push(at: instant, class: rank, event)
  }

  private func handle(_ event: ControlEvent, at now: Instant) {
    switch event {
    case .message(let message, let from, let to): receive(message, from: from, at: to, now)
    case .dispatcherAlarm(let index): wakeDispatcher(Int(index), at: now)
    case .managerAlarm(let index, let incarnation):
      wakeManager(Int(index), incarnation: incarnation, at: now)
    case .agentAlarm(let node): wakeAgent(Int(node), at: now)
    case .admitCreation(let order): turnComes(order, at: now)
    case .podBorn(let order): podBorn(order, at: now)
    case .startDeadline(let pod): startDeadline(pod, at: now)
    case .evictionDeadline(let pod, let order): evicted(pod, order, isGone: false, at: now)
    case .codeStored(let service, let zone):
      zoneCaches[zone.index].store(
        service, bytes: configuration.services[service.index].codeBytes)
    case .initialised(let start, let pod, let life):
      initialised(start, pod, life: life, at: now)
    case .pendingDeadline(let order): pendingDeadline(order, at: now)
    case .nodePoolScan: scanNodePools(at: now)
    case .nodePoolRetry(let question): retryScan(question, at: now)
    case .machineArrives(let pool): machineArrives(Int(pool), at: now)
    case .drainStep(let node): drainStep(Int(node), at: now)
    case .etcdScan: scanLeases(at: now)
    case .autoscaleTick: autoscale(at: now)
    case .tellReadyPods: tellReadyPods(at: now)
    case .fault(let index): strike(Int(index), at: now)
    case .restart(let index): restart(Int(index), at: now)
    case .zoneNoticed(let zone, let loss): zoneNoticed(zone, loss: loss, at: now)
    case .nodesNoticed(let fault): noticeNodes(Int(fault), at: now)
    case .faultNoticed(let fault): tell(.faultNoticed, Int(fault), at: now)
    case .faultShifted(let fault): tell(.faultShifted, Int(fault), at: now)
    case .balancerAlarm: wakeBalancer(at: now)
    case .coordinatorAlarm: wakeCoordinator(at: now)
    case .downstreamReports(let index): downstreamReports(Int(index), at: now)
    case .orderTimeout: repeatOrders(at: now)
    case .nodeWorkEnds(let node, let generation):
      nodeWorkEnds(Int(node), generation: generation, at: now)
    }
  }

  private func receive(
    _ message: ControlMessage, from: Address, at address: Address, _ now: Instant
  ) {
    let index = Int(address.index)
    if isLost(address) { return }
    if address.kind == .gateway {
      let way = network.delay(from: topology.place(of: from), to: topology.place(of: address))
      return post(message, to: address, at: now + way)
    }
    traffic.handled(by: address.kind)
    switch address.kind {
    case .dispatcher: dispatcherReceives(message, index, at: now)
    case .workerManager: managerReceives(message, index, at: now)
    case .hostAgent: agentReceives(message, index, life: address.part, at: now)
    case .zoneCache: zoneCacheReceives(message, index, at: now)
    case .kubernetes: kubernetesReceives(message, from: from, at: now)
    case .etcd: etcdReceives(message, from: from, at: now)
    case .autoscaler: autoscalerReceives(message)
    case .node: nodeReceives(message, index, at: now)
    case .nodeAutoscaler: nodeAutoscalerReceives(message, at: now)
    case .machineSupply: machineSupplyReceives(message, at: now)
    case .zoneEntry: entryReceives(message, ZoneID(index), at: now)
    case .balancer: balancerReceives(message, at: now)
    case .coordinator: coordinatorReceives(message, at: now)
    case .gateway, .downstream: break
    }
  }

  // MARK: Sending

  /// A message from a lane's gateway.
  func accept(_ out: OutMessage, from lane: LaneID, ordinal: UInt64) {
    switch out.message {
    case .needInstance(let start): starts.begin(start, at: out.sentAt)
    case .instanceBroken(let service, let pod, _, _, _, _):
      // The caller has broken it, whether or not the Coordinator ever hears of that.
      recorder.event(
        NotableEvent(
          kind: .instanceBroken, at: out.sentAt, subject: service.index, detail: Int(pod.raw)))
    default: break
    }
    send(
      out.message, from: .gateway(lane, part: Int(out.part)), to: out.to, leavingAt: out.sentAt,
      ordinal: ordinal, extra: out.extraDelay)
  }

  /// Sends a message into the network; `extra` is time beyond the network's.
  ///
  /// One for a gateway that takes longer than the way there ever does waits here for as much
  /// longer: whether what it tells still holds is seen at the gateway's door, and not where it
  /// comes from.
  func send(
    _ message: ControlMessage, from: Address, to address: Address, leavingAt departure: Instant,
    ordinal: UInt64, extra: Nanoseconds = .zero
  ) {
    if isLost(from) || isLost(address) {
      traceSent(message, from: from, to: address, departure, arrivesAt: nil, extra: extra)
      return
    }
    traffic.sent(by: from.kind)
    // Between an instance and its own node nothing is in the way, and nothing is lost.
    let isLocal = address.kind == .node || from.kind == .node
    let outcome =
      isLocal
      ? .delivered(after: .zero)
      : network.send(
        from: topology.place(of: from), to: topology.place(of: address), sender: from.tag,
        ordinal: ordinal)
    guard case .delivered(var delay) = outcome else {
      traceSent(message, from: from, to: address, departure, arrivesAt: nil, extra: extra)
      return
    }
    if !conditions.isEmpty, !isLocal {
      guard
        let slowed = passage(
          of: delay, from: from, to: address, ordinal: ordinal, at: departure)
      else {
        traceSent(message, from: from, to: address, departure, arrivesAt: nil, extra: extra)
        return
      }
      delay = slowed
    }
    let arrival = departure + delay + extra
    if tracer != nil {
      traceSent(message, from: from, to: address, departure, arrivesAt: arrival, extra: extra)
    }
    guard address.kind == .gateway else {
      return schedule(
        .message(message, from: from, to: address), at: arrival, class: EventRank.message)
    }
    let way = network.delay(from: topology.place(of: from), to: topology.place(of: address))
    if arrival - departure > way {
      return schedule(
        .message(message, from: from, to: address), at: arrival - way, class: EventRank.message)
    }
    post(message, to: address, at: arrival)
  }
}
