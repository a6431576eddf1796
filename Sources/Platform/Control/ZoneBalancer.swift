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
    var probes: [(zone: Int, question: UInt64)] = []
    var health: [(zone: Int, isHealthy: Bool)] = []
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
  private var unhealthy = 0
  /// The alarm that counts.
  var alarm = Instant.distantFuture
  /// When the zones are asked for the first time.
  let begin: Instant
  private let hosts: Int

  /// Nil where there is no other zone to send traffic to.
  init?(_ configuration: ClusterConfiguration) {
    isRegional = configuration.region != nil
    guard configuration.zones.count > 1 || isRegional, let settings = configuration.balancer
    else { return nil }
    let hosts = configuration.gateways.perZone
    self.hosts = hosts
    begin = .origin + settings.phase
    checker = HealthChecker(settings.health)
    balancer = RegionBalancer(
      places: configuration.zones.indices.map {
        FailoverWeights.Place(cluster: 0, zone: ZoneID($0), hosts: hosts, healthy: hosts)
      }, rules: settings.failover, window: settings.window)
  }

  var next: Instant { changes.first?.at ?? .distantFuture }

  /// The whole of a zone answers or nothing of it does.
  mutating func hears(_ isHealthy: Bool, of zone: Int, at now: Instant, into wishes: inout Wishes) {
    unhealthy += isHealthy ? -1 : 1
    guard !isRegional else {
      news.append(HealthNews(zone: zone, healthy: isHealthy ? hosts : 0, at: now))
      return
    }
    balancer.hears(healthy: isHealthy ? hosts : 0, of: zone, at: now, into: &wishes)
  }

  mutating func note(_ fresh: [Change]) {
    changes += fresh
    // In the order of telling where two hold from one instant on.
    changes = changes.enumerated().sorted {
      ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
    }.map(\.element)
  }

  /// Every zone is well, and everybody knows.
  var isQuiet: Bool { unhealthy == 0 && news.isEmpty && changes.isEmpty }

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
  /// Begins to ask the zones, at once or when its phase has come.
  func beginBalancing(at now: Instant) {
    guard var hosted = balancer else { return }
    var wishes = ZoneBalancer.Wishes()
    if now < hosted.begin {
      wishes.alarm = hosted.begin
    } else {
      for zone in configuration.zones.indices {
        hosted.checker.add(zone, isHealthy: true, at: now, into: &wishes)
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
    guard case .probed(let zone, let question) = message, var hosted = balancer else { return }
    var wishes = ZoneBalancer.Wishes()
    hosted.checker.answered(zone.index, question: question, isWell: true, at: now, into: &wishes)
    balancer = hosted
    apply(wishes, at: now)
  }

  func entryReceives(_ message: ControlMessage, _ zone: ZoneID, at now: Instant) {
    guard case .probe(let question) = message, !isWithoutGateways(zone) else { return }
    sendPlain(
      .probed(zone, question: question), from: Address(.zoneEntry, zone.index), to: .balancer,
      leavingAt: now)
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
    for (zone, isHealthy) in wanted.health {
      recorder.event(
        NotableEvent(kind: isHealthy ? .zoneHealthy : .zoneUnhealthy, at: now, subject: zone))
      balancer?.hears(isHealthy, of: zone, at: now, into: &wishes)
    }
    for (zone, question) in wishes.probes {
      sendPlain(
        .probe(question: question), from: .balancer, to: Address(.zoneEntry, zone), leavingAt: now)
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
