extension Objective {
  /// What an objective can be about. Unit, scopes and statistics are in `definition`, from which
  /// objectives are read and documented.
  public enum Measure: String, Sendable, CaseIterable {
    case latency
    case startLatency = "start_latency"
    case wait
    case requests, completed, refused, failed, lost, unreachable, erred
    case limited, shed
    case downstreamCalls = "downstream_calls"
    case downstreamRefused = "downstream_refused"
    case ejections, migrations
    case answered, retries, abandoned, late
    case givenUp = "given_up"
    case coldStarts = "cold_starts"
    case poolTakes = "pool_takes"
    case poolMisses = "pool_misses"
    case idlePodHours = "idle_pod_hours"
    case poolLevel = "pool_level"
    case readyPods = "ready_pods"
    case lag, redelivered, repeated, expired
    case deadLettered = "dead_lettered"
    case keyReads = "key_reads"
    case keyHits = "key_hits"
    case staleReads = "stale_reads"
    case utilisation

    /// Distributions in time have statistics; the others are totals, or means and maxima of the
    /// series.
    public var isTime: Bool { definition.kind == .distribution }
    public var isSeries: Bool { definition.kind == .level }
  }

  /// What a measure can be narrowed down to.
  public enum Scope: String, Sendable, CaseIterable {
    case `class`, runtime, zone, cluster, region, service, tenant, importance

    /// What must stand after the `=`.
    var about: String {
      switch self {
      case .class:
        "one of " + ServiceSection.trafficClasses.map { "`\($0)`" }.joined(separator: ", ")
      case .runtime: "a name of `runtimes`"
      case .zone: "the name of one of `cluster.zones`, or with regions `north/online/zone-a`"
      case .cluster: "a cluster of a region, as in `north/online`"
      case .region: "the name of one of `regions`"
      case .service:
        "the name of one of `services`, which stands for its whole group; one of a group, as in "
          + "`api-3`; or one of a trace, as in `apps/NAME`"
      case .tenant: "the name of one of `tenants`"
      case .importance: "the `importance` of services, from 0 to 7"
      }
    }
  }
}

extension Objective.Measure {
  /// What a measure is made of, which decides on its statistics.
  enum Kind: String, CaseIterable {
    /// A time of every request.
    case distribution
    /// A count over the run.
    case total
    /// What is there, interval by interval.
    case level

    /// What a term without a statistic means; nil: it needs one.
    var statistic: Objective.Statistic? {
      switch self {
      case .distribution: nil
      case .total: .total
      case .level: .mean
      }
    }

    /// Totals have no other statistic.
    var hasStatistics: Bool { self != .total }
  }

  enum Unit: String {
    case time
    case number
    /// A number from 0 to 1, or a percentage.
    case share
  }

  struct Definition {
    var kind: Kind
    var unit = Unit.number
    var scopes: [Objective.Scope]
    var about: String
  }

  /// The table of measures.
  var definition: Definition {
    switch self {
    case .latency:
      .time(
        "from the arrival at the gateway to the answer there; with the way in from an API gateway "
          + "or a worker's client, and of a store's notifications from the event")
    case .startLatency:
      .time("of a cold start: from the arrival to the call of the instance that was made")
    case .wait:
      .time(
        "of a request that waited at the gateway: from the arrival to the call of an instance; of "
          + "a message that waited in its log or at its consumer")
    case .requests: .count("requests that arrived")
    case .completed: .count("requests that were answered")
    case .refused:
      .count(
        "requests turned away because a queue was full or nothing could be started, or that are "
          + "`limited` or `shed`")
    case .limited:
      .count("requests turned away by a limit on the rate or concurrency of their service")
    case .shed:
      .count("requests turned away by a gateway that had too much to do")
    case .downstreamCalls: .count("calls of instances to the downstream of their service")
    case .downstreamRefused: .count("those of them that it refused, since they were too many")
    case .failed:
      .count(
        "requests that waited longer than `request_timeout`, were called for longer than "
          + "`call_timeout`, or are `lost`, `unreachable` or `erred`; refused ones are not among "
          + "them")
    case .lost: .count("requests that waited or were served in a zone when it was lost")
    case .answered:
      .count("requests whose client got an answer: `completed` less `late`")
    case .retries: .count("attempts of clients beyond the first of each request")
    case .abandoned: .count("attempts that their client left at its `clients.timeout`")
    case .late: .count("those of them that were answered all the same: work for nobody")
    case .givenUp: .count("requests of services with `clients` that got no answer in the end")
    case .unreachable: .count("requests that came to a zone while it was lost")
    case .erred:
      .count("requests, or attempts of clients, that a bad instance answered with an error")
    case .ejections: .count("how often a gateway or consumer broke an instance")
    case .migrations:
      .count("broken instances that went because the Coordinator had replaced them")
    case .coldStarts:
      .count("requests that waited for an instance to be made and began on it as its first")
    case .poolTakes: .pool("starts that wanted a pod of a warm pool, whether there was one or not")
    case .poolMisses: .pool("starts that found their warm pool empty")
    case .idlePodHours: .pool("warm pods in pools × hours")
    case .poolLevel:
      .level(
        "warm pods at the end of an interval, in all pools of the scope together",
        [.runtime, .zone, .cluster, .region])
    case .readyPods:
      .level(
        "instances that are ready at the end of an interval, of everything in the scope together",
        Objective.Scope.allCases)
    case .lag:
      .level(
        "messages at the end of an interval that are produced and not committed, in all topics of "
          + "the scope together", Objective.Scope.allCases)
    case .redelivered:
      .count(
        "messages that were delivered again, because a delivery had no answer, and invocations "
          + "that were made again, because one failed")
    case .repeated:
      .count("messages and events that were answered once more, beyond the first time")
    case .keyReads: .count("reads of keys that workers' requests made")
    case .keyHits: .count("those that the cache of the host served")
    case .staleReads:
      .count("those of a version that was old: a newer one had been written somewhere by then")
    case .expired:
      .count("messages that were deleted before they were answered")
    case .deadLettered:
      .count("messages whose delivery had failed too often")
    case .utilisation:
      .level(
        "cores in use ÷ cores of the nodes, within an interval", [.zone, .cluster, .region],
        unit: .share)
    }
  }
}

extension Objective.Measure.Definition {
  fileprivate static func time(_ about: String) -> Self {
    Self(kind: .distribution, unit: .time, scopes: Objective.Scope.allCases, about: about)
  }

  fileprivate static func count(_ about: String) -> Self {
    Self(kind: .total, scopes: Objective.Scope.allCases, about: about)
  }

  fileprivate static func pool(_ about: String) -> Self {
    Self(kind: .total, scopes: [.runtime, .zone, .cluster, .region], about: about)
  }

  fileprivate static func level(
    _ about: String, _ scopes: [Objective.Scope], unit: Objective.Measure.Unit = .number
  ) -> Self {
    Self(kind: .level, unit: unit, scopes: scopes, about: about)
  }
}

extension Objective.Measure {
  /// The counts that what this one counts is among.
  var wholes: [Objective.Measure] {
    switch self {
    case .completed, .answered, .givenUp, .coldStarts: [.requests]
    case .late: [.abandoned]
    case .poolMisses: [.poolTakes]
    case .downstreamRefused: [.downstreamCalls]
    case .keyHits, .staleReads: [.keyReads]
    default: []
    }
  }
}
