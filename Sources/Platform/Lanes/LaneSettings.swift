import ControlPlane
import Primitives
import SimulationKernel

/// What a lane needs to know of its service and of the cluster; never changes during a run.
struct LaneSettings: Sendable {
  var queue: ClusterConfiguration.QueueKind
  var lane: LaneID
  var service: ServiceID
  var zone: ZoneID
  var pool: PoolID
  /// Dispatchers in the service's rendezvous order: the owner first.
  var dispatchers: [Int]
  /// Gateways of the parts of the lane, as positions among all gateways of the cluster.
  var gateways: [Int]
  /// Which part a request goes to: drawn from its identity.
  var partKey: StreamKey
  var serviceKey: StreamKey
  var coldKey: StreamKey
  var serviceTime: Sampler
  /// On times that a trace gives; those that are drawn have it already.
  var serviceFactor = 1.0
  var coldService: Sampler?
  var cpuFraction: Double
  var cpuShare: Double
  /// From gateway to instance, one way.
  var hop: Nanoseconds
  /// A gateway's time for one request, at each of request and answer half.
  var gatewayHandling: Nanoseconds
  /// A call that has no answer after this fails; the largest number: never.
  var callTimeout: Nanoseconds
  /// Whether a hop loses a message: below this, a draw of 53 bits; 0: never.
  var lossThreshold: UInt64
  var lossKey: StreamKey
  var concurrencyLimit: UInt32
  var hopByHop: Bool
  /// Processor time goes through the exact model of nodes and gateways.
  var isExact: Bool
  /// Where the gateways' processors begin among those that are simulated exactly; nil: gateways
  /// are never slow.
  var firstGatewayProcessor: Int?
  /// Whether those can be slow, and it takes them time.
  var boundsEntries: Bool { firstGatewayProcessor != nil && gatewayHandling.count > 0 }
  /// Tell the node when an instance becomes busy or idle, for eviction.
  var reportsIdle: Bool
  /// A policy for idle instances; nil: the router's rules say how long they stay.
  var keepAlive: (@Sendable () -> any KeepAlivePolicy)?
  /// AutoScale wants samples.
  var isScaled: Bool
  /// Whole seconds between two samples, and how late one is there.
  var signalSeconds: Int64
  var signalDelay: Nanoseconds
  /// Whether it wants to know with them how far each partition is.
  var tellsOffsets = false
  /// Whole seconds of the longest flow step: signals and rows of the series end such steps.
  var longestStepSeconds = 1
  /// Whether its service has a request a second or more: then it has memory for them from the
  /// beginning.
  var expectsTraffic = true
  /// How much of what its class has in the cluster comes from here, 0 to 1, four times over: what
  /// flow's latencies are dealt by.
  var dealWeight = 1.0
  /// The topic that the lane consumes, with its partitions here; nil: it serves requests.
  var topic: (rules: TopicConfiguration, partitions: Int)?
  var isTopic: Bool
  /// Consumers call the instances, past the gateways.
  var isConsumed: Bool
  /// A store whose notifications make the lane's invocations, and how late each is.
  var notifications: NotificationConfiguration?
  var notificationKey: StreamKey
  var notificationDelay: Sampler
  /// How clients leave and try again, and whose draws these are; nil: they wait for any answer.
  var clients: ClientConfiguration?
  var clientKey: StreamKey
  /// When its gateways or consumers break instances; nil: never. And whose draws bad ones have.
  var breaking: BreakerRules?
  var spoilKey: StreamKey
  /// Its limits, those of each part, how it takes part in a central one, and whose draws a rule has
  /// that finds one.
  var limits: LimitConfiguration?
  var partLimits: [PartLimits] = []
  var central: CentralShare?
  var limitKey: StreamKey
  /// Whether its gateways refuse the less important, how important it is, and who draws.
  var sheds = false
  var importance = 0
  var shedKey: StreamKey
  /// What its instances call, and who draws what becomes of that.
  var downstream: Int?
  var downstreamKey: StreamKey
  /// The keys that requests read, of all lanes of the service alike, and here; nil: none.
  var keyValue: KeyValueConfiguration?
  var keyValueKey: StreamKey
  /// What each call costs beside its service time.
  var overhead: CallOverhead
  /// The way from the client and back, which is a part of the latency alone.
  var wayThrough: Nanoseconds
  var consumerFaults: [ConsumerFault]
  var brokers: LaneBrokers

  /// Whether calls want processors of their node.
  @inline(__always) var computes: Bool { cpuFraction > 0 || overhead.processor.count > 0 }

  /// Whether its arrivals are requests of which nothing is known but what a ticket says.
  var hasRequests: Bool { !isTopic && !isTracked }

  /// Whether something stands before its routers.
  var isGated: Bool { limits != nil || central != nil }
  /// Whether a limit hears of the ends of calls, or anybody does.
  var hearsForLimits: Bool { limits?.adaptive != nil || (isTopic && limits?.backpressure != nil) }
  var hearsAnswers: Bool { breaking != nil || hearsForLimits || (isTopic && isGated) }

  /// Whether requests are known by number: notifications, or what clients wait for.
  @inline(__always) var isTracked: Bool { notifications != nil || clients != nil }

  /// Whether a call that begins at once needs nothing but its service time: every hop in one event,
  /// no draw of a loss, nobody to be told.
  var callsArePlain: Bool {
    !isExact && lossThreshold == 0 && !hopByHop && !isTracked && coldService == nil
      && keyValue == nil && !reportsIdle && serviceFactor == 1 && !hearsAnswers
      && downstream == nil
  }

  /// Deliveries that may be outstanding at once; of requests there is no bound.
  var mostOutstanding: Int {
    guard let topic else { return .max }
    return topic.partitions * topic.rules.window
  }

  /// Of a topic whose deliveries have one message each: those that are in service while no
  /// partition is ever empty, about; else as many as may be outstanding.
  func mostInService(squaredCV square: Double) -> Int {
    guard let topic, topic.rules.maximumBatch == 1 else { return mostOutstanding }
    let each = topic.rules.mostInService(squaredCV: square)
    return min(mostOutstanding, max(1, Int((Double(topic.partitions) * each).rounded(.up))))
  }

  func makeKeyValue() -> LaneKeyValue? {
    keyValue.map { LaneKeyValue($0, key: keyValueKey, zone: zone, from: .origin) }
  }

  /// Knows of more crashes of consumers and brokers from now on.
  mutating func note(_ faults: LaneFaults) {
    consumerFaults += faults.consumers
    brokers.faults += faults.brokers
  }

  /// From a broker to a consumer, of a topic.
  var brokerHop: Nanoseconds { isTopic ? brokers.hop : .zero }

  func makeTopic() -> LaneTopic {
    guard let topic else { return .none() }
    var made = LaneTopic(
      topic.rules, count: topic.partitions, consumers: gateways.count, brokers: brokers)
    if isGated { made.mayHoldBack = true }
    return made
  }
}
