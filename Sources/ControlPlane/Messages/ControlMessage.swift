import Primitives

/// One start of an instance, from the gateway's wish to the first request. It is the same value all
/// along the cold path, so that a repeated question is recognised.
public struct StartRequest: Hashable, Sendable, BitwiseCopyable {
  public var service: ServiceID
  public var lane: LaneID
  public var pool: PoolID
  /// Counts the starts of one gateway's part of a lane; with lane and part the identity of a start.
  public var ordinal: UInt32
  public var part: UInt8
  /// Which repetition of the question this is, from 0.
  public var attempt: UInt8 = 0
  /// Asked for by AutoScale or the Coordinator and not by a waiting request.
  public var isAhead = false
  /// The Dispatcher that answers for the start.
  public var dispatcher: UInt16 = 0
  /// Of one that AutoScale has ordered: the gateway's start that its pod is for as well.
  public var standsFor: UInt32?
  /// Of the same: the starts of its gateway's own that AutoScale counted on.
  public var knownStarts: UInt16 = 0

  public init(service: ServiceID, lane: LaneID, part: Int, pool: PoolID, ordinal: UInt32) {
    self.service = service
    self.lane = lane
    self.part = UInt8(truncatingIfNeeded: part)
    self.pool = pool
    self.ordinal = ordinal
  }

  /// Starts that the Coordinator orders have ordinals of their own: beyond those of gateways, and
  /// below AutoScale's.
  public static let firstReplacement: UInt32 = 1 << 30
  /// The Coordinator's number of the order; nil: somebody else has ordered it.
  @inlinable public var replacement: UInt32? {
    isAhead && ordinal >= Self.firstReplacement && ordinal < 1 << 31
      ? ordinal - Self.firstReplacement : nil
  }

  /// Lane, part and ordinal in one word, equal for all attempts of one start.
  @inlinable public var identity: UInt64 {
    UInt64(lane.raw) << 40 | UInt64(part) << 32 | UInt64(ordinal)
  }
}

/// Where the pod of a cold start came from.
public enum StartPath: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// A warm pod of the pool.
  case pool
  /// A pod that Kubernetes made for this start.
  case fallback
  /// A pod on a virtual node, made for this start without a machine of the cluster.
  case virtualNode
  /// An isolate in a worker process that was there.
  case isolate
}

/// The level of the code cache that had a service's code.
public enum CodeLevel: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  case node, zone, origin
  /// The worker process that an isolate is in.
  case module
}

/// Why a start did not come about.
public enum StartFailure: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// No node has room, and nothing could be evicted.
  case noCapacity
  /// The Worker Manager that was asked does not hold the shard's token.
  case notOwner
  /// Nobody answered in time, however often asked.
  case timedOut
  /// The tenant has all that it may have.
  case overQuota
}

/// What a pod is created for.
public enum CreationPurpose: UInt8, Sendable, BitwiseCopyable {
  case refill, fallback
}

/// An order for a pod. Its number is its identity: Kubernetes makes one pod for it, however often
/// it is placed.
public struct PodOrder: Hashable, Sendable, BitwiseCopyable {
  /// Worker Manager, life of it, and count, in one word.
  public var id: UInt64
  public var pool: PoolID
  public var purpose: CreationPurpose
  /// The start that the pod is for; nil for a refill.
  public var start: StartRequest?

  public init(id: UInt64, pool: PoolID, purpose: CreationPurpose, start: StartRequest? = nil) {
    self.id = id
    self.pool = pool
    self.purpose = purpose
    self.start = start
  }

  /// The Worker Manager that placed the order.
  @inlinable public var manager: Int { Int(id >> 48) }
}

/// Every message between components of the control plane.
public enum ControlMessage: Sendable, BitwiseCopyable {
  // Gateway and Dispatcher
  case resolveRoute(service: ServiceID, lane: LaneID, part: UInt8, knownVersion: UInt32)
  /// `news` counts the endpoints that were told just before, so that a lost one is noticed.
  case route(version: UInt32, isNegative: Bool, news: UInt16, dispatcher: UInt16)
  case needInstance(StartRequest)
  case instanceReady(StartRequest, pod: PodID, version: UInt32)
  case startFailed(StartRequest, StartFailure)
  case endpointAdded(pod: PodID, version: UInt32)
  case endpointRemoved(pod: PodID, version: UInt32)
  /// The gateway has given up an instance; repeated until Kubernetes says that the pod is deleted.
  case instanceRetired(service: ServiceID, pod: PodID, lane: LaneID, part: UInt8)
  // Dispatcher and Worker Manager
  case take(StartRequest, mayFallBack: Bool)
  case taken(StartRequest, StartPath)
  case takeRefused(StartRequest, StartFailure)
  // Worker Manager, HostAgent, code
  case loadCode(StartRequest, pod: PodID, node: NodeID, manager: UInt16)
  /// The agent has begun, or has done so before.
  case loading(pod: PodID)
  /// The pod serves another start already, or is gone.
  case loadRefused(StartRequest, pod: PodID)
  // Worker Manager and worker processes
  case startIsolate(StartRequest, host: PodID, manager: UInt16, StartPath)
  case isolateStarting(StartRequest, host: PodID, freeBytes: Int64)
  case isolateRefused(StartRequest, host: PodID, freeBytes: Int64)
  /// An isolate has ended: what its host has free now.
  case hostRoom(PoolID, host: PodID, freeBytes: Int64)
  case fetchCode(service: ServiceID, node: NodeID, start: UInt64)
  case fetching(service: ServiceID)
  case codeFetched(service: ServiceID, CodeLevel)
  case loaded(StartRequest, pod: PodID, node: NodeID)
  case registered(pod: PodID)
  // Worker Manager and Kubernetes
  case createPod(PodOrder)
  case creationAccepted(PodOrder)
  case podCreated(PodOrder, pod: PodID, node: NodeID)
  case creationFailed(PodOrder)
  /// The tenant has its quota.
  case creationForbidden(PodOrder)
  /// Nobody waits for the pod of an order any more, or another order's is for the same start.
  case creationWithdrawn(PodOrder)
  /// The pod has been taken out of its pool.
  case claimed(pod: PodID)
  case deletePod(PodID, replyTo: Address)
  case podDeleted(PodID)
  /// A warm pod went with its machine.
  case podLost(PodID, PoolID)
  /// Asks for a pool's pods and orders, and for news of them from then on.
  case listPool(PoolID, listing: UInt32)
  case listedPod(PoolID, listing: UInt32, pod: PodID, node: NodeID)
  case listedOrder(PodOrder, listing: UInt32)
  /// `count` is how many were listed, so that a lost one is noticed.
  case listedAll(PoolID, listing: UInt32, count: UInt32)
  /// How many pods of a pool's runtime, shape and zone are ready; told again until it is known.
  case readyPods(PoolID, count: UInt32)
  case readyPodsKnown(PoolID, count: UInt32)
  // etcd
  case grantLease(timeToLive: Nanoseconds, question: UInt64)
  case leaseGranted(lease: Int64, timeToLive: Nanoseconds, question: UInt64)
  case keepAlive(lease: Int64, question: UInt64)
  case keptAlive(lease: Int64, timeToLive: Nanoseconds, question: UInt64, revision: UInt32)
  case leaseNotFound(lease: Int64)
  case acquireToken(shard: UInt16, lease: Int64)
  /// A token has changed, or is as it is although it was wished for.
  case token(TokenState)
  case readTokens
  case tokenRead(TokenState, remaining: UInt16, revision: UInt32)
  // AutoScale
  case sample(LaneID, part: UInt8, PartSample)
  /// How far a partition is and has been read; `partition` counts within the lane.
  case offsets(LaneID, partition: UInt32, committed: Int64, logEnd: Int64)
  case scaleUp(StartRequest)
  /// A Dispatcher has the order, or had it before.
  case scaleAccepted(StartRequest)
  /// AutoScale and Kubernetes: so many of its orders for a part are wanted no more; and so many of
  /// them will not be made.
  case withdrawOrders(LaneID, part: UInt8, count: UInt32)
  case ordersWithdrawn(LaneID, part: UInt8, count: UInt32)
  /// AutoScale and Kubernetes: how many of its orders for a part are under way, in line or placed
  /// or with their agents.
  case countOrders(LaneID, part: UInt8, question: UInt32)
  case ordersCounted(LaneID, part: UInt8, question: UInt32, count: UInt32)
  /// Keep no more usable instances than this: a wish that may be repeated.
  case scaleDown(to: UInt32)
  // Memory pressure
  case evict(pod: PodID, order: UInt64)
  case evicted(pod: PodID, order: UInt64)
  case evictionRefused(pod: PodID, order: UInt64)
  case podState(pod: PodID, isIdle: Bool, lastUse: Instant)
  /// A tenant has little or nothing left of its quota, or has again.
  case quotaNears(tenant: UInt16, Bool)
  // Loss of a zone
  /// A pod went with its machine.
  case podEnded(service: ServiceID, pod: PodID)
  /// The pods that a Dispatcher is responsible for, after it has begun anew.
  case listEndpoints(listing: UInt32)
  case listedEndpoint(
    listing: UInt32, service: ServiceID, pod: PodID, lane: LaneID, part: UInt8)
  /// `count` is how many were listed, so that a lost one is noticed.
  case listedEndpoints(listing: UInt32, count: UInt32)
  /// The nodes of a zone do not answer, or do again.
  case zoneLost(ZoneID)
  case zoneReady(ZoneID)
  /// The balancer asks a gateway, by its number among all of the cluster, whether it is well.
  case probe(gateway: UInt32, question: UInt64)
  case probed(gateway: UInt32, question: UInt64)
  // Breaking of instances
  /// A caller, which has so many instances, has broken one.
  case instanceBroken(
    service: ServiceID, pod: PodID, lane: LaneID, part: UInt8, instances: UInt32, BreakReport)
  /// The caller uses it again.
  case instanceRestored(pod: PodID, lane: LaneID, part: UInt8)
  /// The replacement that the Coordinator has ordered by that number is with its caller.
  case replacementReady(order: UInt32)
  /// Give the instance nothing more, and it up when it has nothing.
  case drainInstance(pod: PodID)
  /// It is not with its caller any more.
  case instanceGone(pod: PodID)
  // Central limits
  /// A consumer wants a part of what a downstream bears.
  case askQuota(lane: LaneID, part: UInt8, downstream: UInt8, QuotaQuestion)
  case quotaGranted(QuotaAnswer)
  /// The downstream tells what it bears, in parts per million of what it bore at first.
  case downstreamBears(downstream: UInt8, partsPerMillion: UInt32)
  // Cluster Autoscaler, Kubernetes, supply of machines
  /// Asks Kubernetes; `scan` is the number of the question.
  case listPending(scan: UInt32)
  /// Pods of a shape that wait for room; `table` says which nodes they may be on.
  case pendingPods(scan: UInt32, table: UInt32, shape: UInt32, count: UInt32)
  case idleNode(scan: UInt32, NodeID, utilization: Double, isEmpty: Bool, canMove: Bool)
  /// Of a node pool in a zone, as `pool` is in all that follows: nodes that stay, and machines that
  /// have joined so far.
  case nodeGroup(scan: UInt32, pool: UInt32, nodes: UInt32, joined: UInt32)
  /// `count` is how many messages came before it, so that a lost one is noticed.
  case listedPending(scan: UInt32, count: UInt32, nodes: UInt32)
  /// Asks the supply how many machines it has given so far, less those that were called off.
  case listMachines(scan: UInt32)
  case machinesGiven(scan: UInt32, pool: UInt32, count: UInt32)
  /// Orders machines, or calls off what is on its way; `request` numbers what is asked of a pool.
  case changeMachines(pool: UInt32, request: UInt32, by: Int32)
  /// What came of it.
  case machinesChanged(pool: UInt32, request: UInt32, by: Int32)
  case machineReady(pool: UInt32, machine: UInt32)
  case machineKnown(machine: UInt32)
  case machineReturned(pool: UInt32, number: UInt32)
  case machineTakenBack(number: UInt32)
  case drainNode(NodeID)
  case drainFailed(pool: UInt32)
  // Exact contention
  case startWork(call: UInt32, lane: LaneID, pod: PodID, workNanoseconds: Int64, shareMilli: UInt32)
  case workDone(call: UInt32)
}

/// Takes what a machine of the control plane wants to happen.
public protocol MessageSink {
  /// Sends a message; the network decides when, and whether, it arrives.
  mutating func send(_ message: ControlMessage, to address: Address)
}
