import ControlPlane
import Primitives

/// Something that goes wrong at a time.
public struct FaultConfiguration: Sendable {
  public enum Kind: Sendable, Equatable {
    /// A Worker Manager stops and loses all state; it restarts empty.
    case crashWorkerManager(Int)
    /// A consumer stops and loses all state; counted zone by zone.
    case crashConsumer(Int)
    /// A Dispatcher stops and loses all state; it restarts empty.
    case crashDispatcher(Int)
    /// A zone stops, with all machines, gateways, consumers and components in it; it comes back
    /// empty.
    case loseZone(ZoneID)
    /// Machines stop, with all pods on them; they come back empty.
    case loseNodes([NodeID])
    /// A gateway stops and loses all state; counted zone by zone.
    case crashGateway(Int)
    /// The HostAgents of machines stop; they come back without code, and with the loads that their
    /// machines' pods were given to.
    case crashAgents([NodeID])
    /// Instances of services end by themselves, a share of those of each lane or so many of each
    /// service; it is over at once.
    case losePods([ServiceID], share: Double, count: Int?)
    /// A broker stops; its log is there when it is back. Counted zone by zone.
    case crashBroker(Int)
    /// Something that a cluster has once does not answer; it keeps its state.
    case stop(Dependency)
    /// It takes so many times as long, as does every message in, to and from a zone.
    case slow(Dependency, factor: Double)
    case slowZone(ZoneID, factor: Double)
    /// No message gets from one side to the other, nor back unless it is one way.
    case cut(NetworkSide, from: NetworkSide, isOneWay: Bool)
    /// A share of the messages to and from a side are lost.
    case drop(NetworkSide, share: Double)
    /// Services get so many times the traffic; the rise takes a time.
    case surge([ServiceID], factor: Double, ramp: Nanoseconds)
    /// What services call takes so many times as long, and their requests with it.
    case slowServices([ServiceID], factor: Double)
    /// A share of the instances that each lane of the services has then, one at least, answer a
    /// share of their calls with an error and take so many times as long, until they are gone.
    case spoil([ServiceID], share: Double, errors: Double, factor: Double)
    /// A configuration that is bad comes to services, and is rolled back at the end: that is when
    /// the region's API is asked for it.
    case push([ServiceID], ServiceChange)
    /// The clock of a Worker Manager jumps, and runs so many times as fast until the end.
    case clock(manager: Int, jump: Nanoseconds, rate: Double)
    /// A downstream bears a part of what it did, and what calls it takes so many times as long.
    case limitDownstream(Int, share: Double, slows: [ServiceID], factor: Double)
    /// The Coordinator stops and loses all that it knew; it begins anew.
    case crashCoordinator
  }

  public var name: String
  public var kind: Kind
  public var at: Instant
  /// Nil: it does not come back.
  public var restartAfter: Nanoseconds?
  /// What is slow, lossy or bad is so by and by: for this long it grows, evenly, from nothing.
  public var ramp = Nanoseconds.zero
  /// Of a push: what it is among the things that the region's API is asked for, the same in all
  /// clusters. Its roll-back has the number that follows.
  public var number: UInt32 = 0

  public init(
    name: String, kind: Kind, at: Instant, restartAfter: Nanoseconds?,
    ramp: Nanoseconds = .zero
  ) {
    self.name = name
    self.kind = kind
    self.at = at
    self.restartAfter = restartAfter
    self.ramp = ramp
  }

  var growth: FaultGrowth { FaultGrowth(start: at, ramp: ramp) }

  /// While it lasts.
  var span: Range<Instant> { at..<(restartAfter.map { at + $0 } ?? .distantFuture) }

  /// Whether nothing else tells of its beginning and its end.
  var isCondition: Bool {
    switch kind {
    case .stop, .slow, .slowZone, .cut, .drop, .surge, .slowServices, .loseNodes, .spoil,
      .crashGateway, .crashAgents, .losePods, .clock, .limitDownstream, .crashCoordinator,
      .crashConsumer, .crashBroker:
      true
    default: false
    }
  }

  /// What the region's API is asked for, and when; nothing where it is no push.
  var wishes: [(number: UInt32, at: Instant)] {
    guard case .push = kind else { return [] }
    return [(number, at)] + (restartAfter.map { [(number + 1, at + $0)] } ?? [])
  }

  /// Whether it makes instances of a service bad, or its configuration.
  func spoils(_ service: ServiceConfiguration, among services: [ServiceConfiguration]) -> Bool {
    let some: [ServiceID]
    switch kind {
    case .spoil(let these, _, _, _), .push(let these, _): some = these
    default: return false
    }
    return some.contains { services[$0.index].name == service.name }
  }

  /// Whether it changes what gateways go by.
  var pushesRules: Bool {
    guard case .push(_, let change) = kind else { return false }
    return change.changesRules
  }

  var isOfConsumer: Bool {
    if case .crashConsumer = kind { return true }
    return false
  }

  var isOfBroker: Bool {
    if case .crashBroker = kind { return true }
    return false
  }

  /// Whether it befalls a group of consumers or the brokers that it reads from.
  var isOfGroup: Bool { isOfConsumer || isOfBroker }
}

/// What a configuration says of a service in the place of what it said before; nil: nothing.
public struct ServiceChange: Sendable, Equatable {
  /// Requests of an instance at a time; at most as many as before.
  public var concurrency: Int?
  /// Of the whole service.
  public var maximumInstances: Int?
  public var callTimeout: Nanoseconds?
  /// The share of all calls that end with an error, as of a version that is wrong.
  public var errors = 0.0

  /// Whether it says anything but that calls err.
  public var changesRules: Bool {
    concurrency != nil || maximumInstances != nil || callTimeout != nil
  }

  public init() {}
}

/// What a cluster has once and others depend on.
public enum Dependency: Sendable, Equatable {
  /// No leader: leases are neither granted nor renewed, and none runs out.
  case etcd
  case kubernetes
  case autoscaler
  /// The control-plane API of the region; among the faults of its first cluster.
  case api
  /// Who decides on instances that callers break.
  case coordinator
  /// Whoever has machines to give.
  case machineSupply
  /// Where images are, which machines that join and virtual nodes need.
  case registry
  /// Where code is.
  case objectStore
  /// The code cache of a zone.
  case remoteCache(ZoneID)
}

/// A side of the network that messages come from or go to.
public enum NetworkSide: Sendable, Equatable {
  case zone(ZoneID)
  /// Kubernetes, etcd, AutoScale and the like.
  case controlPlane
  case everything
}
