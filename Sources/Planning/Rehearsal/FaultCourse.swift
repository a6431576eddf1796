import Platform
import Primitives
import Simulation

/// What became of one fault: when it struck, who found out first and when, when others had what it
/// took, and when it was over.
///
/// Each is read off what the run tells of that fault and of what it befell, so that of several
/// faults each has its own times. What nobody in the model watches for has no `detector`.
public struct FaultCourse: Sendable, Equatable {
  public var name: String
  public var strike: Instant
  /// Nil: by nobody, or not within the run.
  public var detected: Instant?
  /// Who found out first.
  public var detector: String?
  /// Nil: not at all, or not within the run.
  public var shifted: Instant?
  /// When what has failed was there again; nil: not within the run.
  public var ended: Instant?

  /// The detector that asks at an interval of its own.
  public static let balancer = "the balancer"

  public var secondsToDetect: Double? { detected.map { ($0 - strike).seconds } }
  public var secondsToShift: Double? { shifted.map { ($0 - strike).seconds } }
  public var secondsToEnd: Double? { ended.map { ($0 - strike).seconds } }
}

extension FaultCourse {
  /// Of all faults that struck within a run, in the order of striking. The loss of a cluster or
  /// region is one, and so is what befalls several clusters. O(faults × events).
  static func all(_ outcome: RunOutcome) -> [FaultCourse] {
    let whole = outcome.configuration
    let told = ToldEvents(outcome)
    let end = Instant.origin + outcome.simulated
    var courses: [FaultCourse] = []
    var kinds: [String] = []
    let parts = whole.parts.map { Optional($0) }
    for part in parts.isEmpty ? [nil] : parts {
      let own = part?.faults ?? whole.faults.indices
      for number in own where whole.faults[number].at < end {
        let fault = whole.faults[number]
        // What a cluster has once goes with it, and is no fault of its own.
        let isPartOfLoss = whole.faults[own].contains {
          if case .loseZone = $0.kind { $0.name == fault.name && $0.at == fault.at } else { false }
        }
        if isPartOfLoss, case .stop = fault.kind { continue }
        let course = told.course(of: fault, number, in: part)
        let known = courses.indices.first {
          courses[$0].name == fault.name && courses[$0].strike == fault.at
            && kinds[$0] == fault.verb
        }
        if let known {
          courses[known].join(course)
        } else {
          courses.append(course)
          kinds.append(fault.verb)
        }
      }
    }
    return courses.enumerated().sorted {
      ($0.element.strike, $0.offset) < ($1.element.strike, $1.offset)
    }.map(\.element)
  }

  /// The same fault, as another part of the world has it.
  private mutating func join(_ other: FaultCourse) {
    if let found = other.detected, found < detected ?? .distantFuture {
      (detected, detector) = (found, other.detector)
    }
    if let moved = other.shifted { shifted = min(shifted ?? moved, moved) }
    if let one = ended, let another = other.ended {
      ended = max(one, another)
    } else {
      ended = nil
    }
  }
}

/// What a run has told, in order of time.
private struct ToldEvents {
  let events: [NotableEvent]
  let leases: [LeaseChange]
  let configuration: ClusterConfiguration
  let end: Instant

  init(_ outcome: RunOutcome) {
    events = outcome.collected.log.events.map(\.event).enumerated().sorted {
      ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
    }.map(\.element)
    leases = outcome.collected.leases
    configuration = outcome.configuration
    end = .origin + outcome.simulated
  }

  /// What a fault has brought about may be told so long after its end (assumed).
  private static let afterwards = Nanoseconds.seconds(30)

  private typealias Found = (detected: Instant?, detector: String?, shifted: Instant?)

  func course(
    of fault: FaultConfiguration, _ number: Int, in part: ClusterPart?
  ) -> FaultCourse {
    let back = fault.restartAfter.map { fault.at + $0 }
    let span = fault.at...(back.map { $0 + Self.afterwards } ?? .distantFuture)
    let found = self.found(fault, number, in: part, span)
    var course = FaultCourse(name: fault.name, strike: fault.at)
    (course.detected, course.detector, course.shifted) = found
    if found.detected == nil { course.detector = nil }
    switch fault.kind {
    case .losePods: course.ended = fault.at
    // Asked for then, and over when the roll-back holds.
    case .push: course.ended = first(.faultEnds, [number], fault.at...Instant.distantFuture)
    default: course.ended = back.flatMap { $0 <= end ? $0 : nil }
    }
    return course
  }

  private func found(
    _ fault: FaultConfiguration, _ number: Int, in part: ClusterPart?, _ span: ClosedRange<Instant>
  ) -> Found {
    let firstZone = part?.zones.lowerBound ?? 0
    let managers = part?.managers ?? 0..<configuration.workerManagers.count
    /// Those that are named; where none is, all of the cluster are on one side, and who asks them
    /// on the other.
    func zones(_ some: [NetworkSide]) -> [Int] {
      let named = some.compactMap { side -> Int? in
        if case .zone(let zone) = side { firstZone + zone.index } else { nil }
      }
      return named.isEmpty ? Array(part?.zones ?? configuration.zones.indices) : named
    }
    switch fault.kind {
    case .loseZone(let zone):
      let balanced = balancer([firstZone + zone.index], span)
      if balanced.detected != nil { return balanced }
      // Who stands alone has no balancer; machines that are back are no discovery.
      let back = fault.restartAfter.map { fault.at + $0 } ?? .distantFuture
      let noticed = first(.zoneNoticed, [firstZone + zone.index], span)
      return (noticed.flatMap { $0 < back ? $0 : nil }, "Kubernetes", nil)
    case .slowZone(let zone, _): return balancer([firstZone + zone.index], span)
    case .cut(let side, let other, _): return cutOff(zones([side, other]), managers, span)
    case .drop(let side, _): return cutOff(zones([side]), managers, span)
    case .stop(.etcd), .slow(.etcd, _): return tokens(of: Array(managers), managers, span)
    case .crashWorkerManager(let index), .clock(let index, _, _):
      return tokens(of: [managers.lowerBound + index], managers, span)
    case .spoil(let services, _, _, _):
      let own = services.map { $0.index + (part?.services.lowerBound ?? 0) }
      return (
        first(.instanceBroken, own, span), "a caller, who breaks it",
        first(.instanceMigrated, own, span)
      )
    case .crashGateway(let gateway):
      let noticed = first(.faultNoticed, [number], span)
      // Where it was the last of its zone, that is given up as a whole.
      let zone = firstZone + gateway / max(1, configuration.gateways.perZone)
      return (
        noticed, fault.noticedBy,
        first(.faultShifted, [number], span) ?? balancer([zone], span).shifted
      )
    default:
      return (
        first(.faultNoticed, [number], span), fault.noticedBy, first(.faultShifted, [number], span)
      )
    }
  }

  private func first(
    _ kind: NotableEvent.Kind, _ subjects: [Int], _ span: ClosedRange<Instant>
  ) -> Instant? {
    events.first { $0.kind == kind && span.contains($0.at) && subjects.contains($0.subject) }?.at
  }

  /// Zones that the balancer cannot reach; where nothing of the kind is so, owners of tokens.
  private func cutOff(
    _ zones: [Int], _ managers: Range<Int>, _ span: ClosedRange<Instant>
  ) -> Found {
    let balanced = balancer(zones, span)
    guard balanced.detected == nil else { return balanced }
    let count =
      configuration.part(ofZone: zones.first ?? 0)?.zones.count
      ?? configuration.zones.count
    let first = configuration.part(ofZone: zones.first ?? 0)?.zones.lowerBound ?? 0
    // Components stand in the zones in turn.
    let own = managers.filter { manager in
      zones.contains(first + (manager - managers.lowerBound) % max(1, count))
    }
    return tokens(of: own, managers, span)
  }

  /// Tokens of Worker Managers that run out or are given up, and that another one of the same
  /// cluster takes.
  private func tokens(
    of owners: [Int], _ managers: Range<Int>, _ span: ClosedRange<Instant>
  ) -> Found {
    let expired = leases.first {
      span.contains($0.at) && $0.from.map(owners.contains) ?? false && $0.to != $0.from
    }?.at
    let stopped = events.first {
      $0.kind == .leaseLost && span.contains($0.at) && owners.contains($0.detail)
    }?.at
    guard let lost = [expired, stopped].compactMap({ $0 }).min() else { return (nil, nil, nil) }
    let taken = events.first {
      $0.kind == .leaseTaken && $0.at >= lost && span.contains($0.at)
        && managers.contains($0.detail) && (owners.count > 1 || !owners.contains($0.detail))
    }?.at
    return (lost, lost == expired ? "etcd, as a lease ran out" : "the owner of a token", taken)
  }

  /// When the balancer takes one of some zones for gone, and when traffic of it has somewhere to
  /// go: weights that hold where nothing is left send it nowhere.
  private func balancer(_ zones: [Int], _ span: ClosedRange<Instant>) -> Found {
    guard let detected = first(.zoneUnhealthy, zones, span) else { return (nil, nil, nil) }
    var lost: Set<Int> = []
    var unhealthy: Set<Int> = []
    let own = zones.flatMap { balanced(with: $0) }
    for event in events where span.contains(event.at) {
      switch event.kind {
      case .zoneLost: lost.insert(event.subject)
      // What moves afterwards moves back.
      case .zoneBack where zones.contains(event.subject) && event.at > detected:
        return (detected, FaultCourse.balancer, nil)
      case .zoneBack: lost.remove(event.subject)
      case .zoneUnhealthy: unhealthy.insert(event.subject)
      case .zoneHealthy: unhealthy.remove(event.subject)
      case .trafficShifted where event.at >= detected && own.contains(event.subject):
        let gone = lost.union(unhealthy)
        if !gone.isEmpty, !gone.isSuperset(of: balanced(with: event.subject)) {
          return (detected, FaultCourse.balancer, event.at)
        }
      default: break
      }
    }
    return (detected, FaultCourse.balancer, nil)
  }

  /// The zones that traffic of one may be sent to: those of its cluster, and where the cluster has
  /// services in common with others of its region, theirs.
  private func balanced(with zone: Int) -> [Int] {
    guard let own = configuration.part(ofZone: zone) else {
      return Array(configuration.zones.indices)
    }
    let isShared = configuration.services[own.services].contains { $0.spread != nil }
    let others = configuration.parts.filter { isShared && $0.region == own.region }
    return others.isEmpty ? Array(own.zones) : others.flatMap(\.zones)
  }
}

extension FaultConfiguration {
  /// What it does, without to whom, so that what befalls several clusters is known as one.
  fileprivate var verb: String {
    switch kind {
    case .crashWorkerManager, .crashConsumer, .crashDispatcher, .crashGateway, .crashAgents,
      .crashBroker, .crashCoordinator:
      "crash"
    case .loseZone, .loseNodes, .losePods: "lose"
    case .stop: "stop"
    case .slow, .slowZone, .slowServices: "slow"
    case .cut: "cut"
    case .drop: "drop"
    case .surge: "surge"
    case .spoil: "spoil"
    case .push: "push"
    case .clock: "clock"
    case .limitDownstream: "limit"
    }
  }
}
