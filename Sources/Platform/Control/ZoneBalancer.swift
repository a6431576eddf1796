import ControlPlane
import Primitives
import SimulationKernel

/// The region's layer-7 balancer with its health checks, hosted, and the weights that it has told
/// and that are not in effect yet.
///
/// Where clusters of a region have services in common the balancer decides in the region's own
/// part (`RegionShard`): here are its health checks, what they have found and is not told yet, and
/// the weights that came back.
struct ZoneBalancer: Sendable {
  /// Weights of traffic that is at home in a zone, and when they hold.
  typealias Change = WeightChange

  /// What the two machines want done in one step, in order.
  struct Wishes: HealthCheckerEffects, RegionBalancerEffects {
    var probes: [(gateway: Int, question: UInt64)] = []
    var health: [(gateway: Int, isHealthy: Bool)] = []
    var changes: [Change] = []
    var alarm: Instant?

    mutating func probe(_ member: Int, question: UInt64) { probes.append((member, question)) }
    mutating func isHealthy(_ member: Int, _ isHealthy: Bool) {
      health.append((member, isHealthy))
    }
    mutating func wakeHealthChecker(at instant: Instant) { alarm = instant }
    mutating func setWeights(
      _ weights: [Int], from origin: Int, at instant: Instant, number: UInt64
    ) {
      changes.append(Change(at: instant, origin: origin, weights: weights))
    }
  }

  var checker: HealthChecker
  var balancer: RegionBalancer
  /// In the order of the instants at which they hold.
  private(set) var changes: [Change] = []
  /// What the region's part has not been told yet.
  private(set) var news: [HealthNews] = []
  /// Whether the region's part decides.
  let isRegional: Bool
  /// By zone: gateways that it takes for well.
  private var healthy: [Int]
  /// The alarm that counts.
  var alarm = Instant.distantFuture
  /// When gateways are asked for the first time.
  let begin: Instant
  /// Gateways of a zone. They are numbered zone by zone.
  private let hosts: Int

  /// Nil where there is no other zone to send traffic to.
  init?(_ configuration: ClusterConfiguration) {
    isRegional = configuration.region != nil
    guard configuration.zones.count > 1 || isRegional, let settings = configuration.balancer
    else { return nil }
    let hosts = configuration.gateways.perZone
    self.hosts = hosts
    healthy = configuration.zones.map { _ in hosts }
    begin = .origin + settings.phase
    checker = HealthChecker(settings.health)
    balancer = RegionBalancer(
      places: configuration.zones.indices.map {
        FailoverWeights.Place(cluster: 0, zone: ZoneID($0), hosts: hosts, healthy: hosts)
      }, rules: settings.failover, window: settings.window)
  }

  var next: Instant { changes.first?.at ?? .distantFuture }

  /// A gateway is taken for well or no longer. By Envoy's rules a zone keeps what the gateways that
  /// are left there bear.
  ///
  /// - Returns: what has become of its zone, where it was the last that was well or is the first.
  mutating func hears(
    _ isHealthy: Bool, of gateway: Int, at now: Instant, into wishes: inout Wishes
  ) -> NotableEvent? {
    let zone = gateway / hosts
    healthy[zone] += isHealthy ? 1 : -1
    if isRegional {
      news.append(HealthNews(zone: zone, healthy: healthy[zone], at: now))
    } else {
      balancer.hears(healthy: healthy[zone], of: zone, at: now, into: &wishes)
    }
    switch (isHealthy, healthy[zone]) {
    case (true, 1): return NotableEvent(kind: .zoneHealthy, at: now, subject: zone)
    case (false, 0): return NotableEvent(kind: .zoneUnhealthy, at: now, subject: zone)
    default: return nil
    }
  }

  /// Weights that hold from some instants on; they take the place of those that were to hold for
  /// the same traffic from the same instant.
  mutating func note(_ fresh: [Change]) {
    for change in fresh {
      changes.removeAll { $0.at == change.at && $0.origin == change.origin }
      let place = changes.firstIndex { $0.at > change.at } ?? changes.endIndex
      changes.insert(change, at: place)
    }
  }

  /// Every gateway is well, and everybody knows.
  var isQuiet: Bool { healthy.allSatisfy { $0 == hosts } && news.isEmpty && changes.isEmpty }

  mutating func takeNews() -> [HealthNews] {
    defer { news = [] }
    return news
  }

  /// Takes out what holds from an instant on.
  mutating func take(until now: Instant) -> [Change] {
    let due = changes.prefix { $0.at <= now }
    changes.removeFirst(due.count)
    return Array(due)
  }
}

/// Weights of traffic that is at home in a zone, and when they hold.
public struct WeightChange: Sendable, Equatable {
  public var at: Instant
  public var origin: Int
  public var weights: [Int]
}

/// A zone of a cluster was found to have so many gateways that are well.
public struct HealthNews: Sendable, Equatable {
  public var zone: Int
  public var healthy: Int
  public var at: Instant
}

// The balancer, hosted in the shared part. It has no clock of its own: nothing that it does depends
// on one.
extension ControlShard {
  /// Begins to ask the gateways, at once or when its phase has come.
  func beginBalancing(at now: Instant) {
    guard var hosted = balancer else { return }
    var wishes = ZoneBalancer.Wishes()
    if now < hosted.begin {
      wishes.alarm = hosted.begin
    } else {
      for gateway in 0..<configuration.zones.count * configuration.gateways.perZone {
        hosted.checker.add(gateway, isHealthy: true, at: now, into: &wishes)
      }
    }
    balancer = hosted
    apply(wishes, at: now)
  }

  func wakeBalancer(at now: Instant) {
    guard var hosted = balancer, hosted.alarm == now else { return }
    hosted.alarm = .distantFuture
    guard now > hosted.begin || hosted.begin == .origin else {
      balancer = hosted
      return beginBalancing(at: now)
    }
    var wishes = ZoneBalancer.Wishes()
    hosted.checker.wake(at: now, into: &wishes)
    balancer = hosted
    apply(wishes, at: now)
  }

  func balancerReceives(_ message: ControlMessage, at now: Instant) {
    guard case .probed(let gateway, let question) = message, var hosted = balancer else {
      return
    }
    var wishes = ZoneBalancer.Wishes()
    hosted.checker.answered(Int(gateway), question: question, isWell: true, at: now, into: &wishes)
    balancer = hosted
    apply(wishes, at: now)
  }

  func entryReceives(_ message: ControlMessage, _ zone: ZoneID, at now: Instant) {
    guard case .probe(let gateway, let question) = message, !gatewaysDown.contains(Int(gateway))
    else { return }
    sendPlain(
      .probed(gateway: gateway, question: question), from: Address(.zoneEntry, zone.index),
      to: .balancer, leavingAt: now)
  }

  /// A zone is taken out by hand, or given back.
  func drain(_ zone: ZoneID, _ isDrained: Bool, at now: Instant) {
    guard var hosted = balancer else { return }
    var wishes = ZoneBalancer.Wishes()
    hosted.balancer.drain(zone.index, isDrained, at: now, into: &wishes)
    balancer = hosted
    apply(wishes, at: now)
  }

  private func apply(_ wanted: ZoneBalancer.Wishes, at now: Instant) {
    var wishes = wanted
    for (gateway, isHealthy) in wanted.health {
      if let event = balancer?.hears(isHealthy, of: gateway, at: now, into: &wishes) {
        recorder.event(event)
      }
    }
    for (gateway, question) in wishes.probes {
      let zone = gateway / configuration.gateways.perZone
      sendPlain(
        .probe(gateway: UInt32(gateway), question: question), from: .balancer,
        to: Address(.zoneEntry, zone), leavingAt: now)
    }
    for change in wishes.changes {
      digest.record(
        RecordKind.weights, at: now, UInt64(change.origin), UInt64(change.at.nanoseconds))
    }
    balancer?.note(wishes.changes)
    if let alarm = wishes.alarm, alarm != balancer?.alarm {
      balancer?.alarm = alarm
      schedule(.balancerAlarm, at: alarm, class: EventRank.alarm)
    }
  }
}
