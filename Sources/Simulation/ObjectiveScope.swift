import Platform
import Primitives
import ResultStore
import Scenario

/// What a measure is read from.
enum MeasureSource {
  case times
  case counter((LaneCounters) -> UInt64)
  case gauge((LaneGauges) -> Int)
  case pools
  case zones
}

extension Objective.Measure {
  /// Nil for what is no time.
  var latencyMeasure: LatencyMeasure? {
    switch self {
    case .latency: .latency
    case .startLatency: .startLatency
    case .wait: .wait
    default: nil
    }
  }

  var source: MeasureSource {
    switch self {
    case .latency, .startLatency, .wait: .times
    case .requests: .counter { $0.arrivals }
    case .completed: .counter { $0.completed }
    case .refused: .counter { $0.refused }
    case .limited: .counter { $0.limited }
    case .shed: .counter { $0.shed }
    case .downstreamCalls: .counter { $0.downstreamCalls }
    case .downstreamRefused: .counter { $0.downstreamRefused }
    case .failed: .counter { $0.failed }
    case .lost: .counter { $0.lost }
    case .unreachable: .counter { $0.unreachable }
    case .erred: .counter { $0.erred }
    case .ejections: .counter { $0.ejections }
    case .migrations: .counter { $0.migrations }
    case .answered: .counter { $0.answered }
    case .retries: .counter { $0.retries }
    case .abandoned: .counter { $0.abandoned }
    case .late: .counter { $0.late }
    case .givenUp: .counter { $0.givenUp }
    case .coldStarts: .counter { $0.coldStarts }
    case .readyPods: .gauge { $0.ready }
    case .lag: .gauge { $0.lag }
    case .redelivered: .counter { $0.redelivered }
    case .repeated: .counter { $0.repeated }
    case .keyReads: .counter { $0.keyReads }
    case .keyHits: .counter { $0.keyHits }
    case .staleReads: .counter { $0.staleReads }
    case .expired: .counter { $0.expired }
    case .deadLettered: .counter { $0.deadLettered }
    case .poolTakes, .poolMisses, .idlePodHours, .poolLevel: .pools
    case .utilisation: .zones
    }
  }
}

extension Objective.Statistic {
  /// Seconds; nil without a sample.
  func value(of histogram: LatencyHistogram) -> Double? {
    guard histogram.count > 0 else { return nil }
    switch self {
    case .mean, .total: return histogram.mean * 1e-9
    case .maximum: return Double(histogram.maximum) * 1e-9
    case .quantile(let p): return Double(histogram.quantile(p)) * 1e-9
    }
  }
}

/// The part of the cluster that a term is about: every key of its scope narrows it down.
struct ObjectiveScope {
  let scope: [String: String]
  let configuration: ClusterConfiguration

  init(_ term: Objective.Term, _ configuration: ClusterConfiguration) {
    scope = term.scope
    self.configuration = configuration
  }

  /// Lanes are numbered service by service, in the order of each one's zones.
  var lanes: [Int] {
    var found: [Int] = []
    var lane = 0
    for service in configuration.services {
      let isIn = contains(service)
      for zone in service.zones {
        if isIn && contains(zone: zone) { found.append(lane) }
        lane += 1
      }
    }
    return found
  }

  var pools: [Int] {
    configuration.pools.indices.filter { index in
      let pool = configuration.pools[index]
      return pool.isWarm && contains(zone: pool.zone) && contains(runtime: pool.runtime)
    }
  }

  var zones: [Int] {
    configuration.zones.indices.filter { contains(zone: ZoneID($0)) }
  }

  private func contains(_ service: ServiceConfiguration) -> Bool {
    if let name = scope["service"], service.name != name, service.group != name { return false }
    if let name = scope["tenant"], !isOf(tenant: name, service) { return false }
    if let name = scope["importance"], "\(service.importance)" != name { return false }
    if let name = scope["class"], service.trafficClass.rawValue != name { return false }
    return contains(runtime: service.runtime)
  }

  private func isOf(tenant name: String, _ service: ServiceConfiguration) -> Bool {
    let tenants = configuration.tenants
    return tenants.indices.contains(service.tenant) && tenants[service.tenant].name == name
  }

  private func contains(runtime: Int) -> Bool {
    scope["runtime"].map { $0 == configuration.runtimes[runtime].name } ?? true
  }

  private func contains(zone: ZoneID) -> Bool {
    if let name = scope["zone"], name != configuration.zones[zone.index].name { return false }
    guard scope["cluster"] != nil || scope["region"] != nil else { return true }
    guard let part = configuration.part(ofZone: zone.index) else { return false }
    if let path = scope["cluster"], path != part.path { return false }
    return scope["region"].map { $0 == part.region } ?? true
  }
}
