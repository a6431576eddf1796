import Primitives

/// When a consumer of a lane crashes, and when its partitions have a reader again.
struct ConsumerFault: Sendable, Equatable {
  var part: UInt8
  var at: Instant
  /// When it joins its group again, or another one in its place; nil: nobody does.
  var back: Instant?
  /// Who crashes, and who joins: positions among all gateways and consumers.
  var crashed: Int
  var host: Int
}

extension ConsumerFault {
  /// What befalls the consumers of a lane, in order of time.
  ///
  /// The others of a group read for one that is gone until it is back. Of a group of one the place
  /// is taken by another consumer of its zone, which is of the same fleet and has nothing of this
  /// topic yet, when the session has run out; it keeps it, as who joins later has no partition left
  /// to get. O(faults × consumers of a zone) where any consumer crashes.
  static func all(
    of lane: Int, _ topology: Topology, _ configuration: ClusterConfiguration,
    among faults: [FaultConfiguration]
  ) -> [ConsumerFault] {
    let place = topology.lanes[lane]
    let service = configuration.services[place.service.index]
    guard service.isConsumed, let rules = service.topic else { return [] }
    let (count, gateways) = (configuration.consumers.perZone, configuration.gateways.perZone)
    let first = configuration.zones.count * gateways
    let crashes = faults.compactMap { fault -> ConsumerCrash? in
      guard case .crashConsumer(let consumer) = fault.kind else { return nil }
      return ConsumerCrash(consumer: first + consumer, span: fault.span)
    }
    guard !crashes.isEmpty else { return [] }
    let own = topology.laneGateways[lane]
    guard own.count == 1 else {
      return crashes.compactMap { crash in
        own.firstIndex(of: crash.consumer).map { ConsumerFault(crash, part: $0) }
      }
    }
    let fleet = first + place.zone.index * count..<first + (place.zone.index + 1) * count
    return course(of: own[0], fleet, crashes, rules)
  }

  /// Of a group of one: who has its place, from crash to crash.
  static func course(
    of home: Int, _ fleet: Range<Int>, _ crashes: [ConsumerCrash], _ rules: TopicConfiguration
  ) -> [ConsumerFault] {
    var course: [ConsumerFault] = []
    var host = home
    let inOrder = crashes.enumerated().sorted {
      ($0.element.span.lowerBound, $0.offset) < ($1.element.span.lowerBound, $1.offset)
    }.map(\.element)
    var joined = Instant.origin
    for crash in inOrder where crash.consumer == host && crash.span.lowerBound >= joined {
      var fault = ConsumerFault(crash, part: 0)
      let missed = rules.sessionEnd(of: fault.at)
      for other in 1..<max(1, fleet.count) {
        let next = fleet.lowerBound + (host - fleet.lowerBound + other) % fleet.count
        let free = firstFree(next, from: missed, crashes)
        guard free < fault.back ?? .distantFuture else { continue }
        (fault.back, fault.host) = (free, next)
      }
      (host, joined) = (fault.host, fault.back ?? .distantFuture)
      course.append(fault)
    }
    return course
  }

  /// From an instant on, when a consumer is there.
  private static func firstFree(
    _ consumer: Int, from instant: Instant, _ crashes: [ConsumerCrash]
  ) -> Instant {
    var free = instant
    while let away = crashes.first(where: { $0.consumer == consumer && $0.span.contains(free) }) {
      free = away.span.upperBound
    }
    return free
  }

  private init(_ crash: ConsumerCrash, part: Int) {
    self.init(
      part: UInt8(truncatingIfNeeded: part), at: crash.span.lowerBound,
      back: crash.span.upperBound < .distantFuture ? crash.span.upperBound : nil,
      crashed: crash.consumer, host: crash.consumer)
  }

  /// When the group finds out, and when others have what the consumer had: in a group of one, when
  /// its place is taken. A member that the group knows again is not missed.
  func reaction(_ rules: TopicConfiguration, isAlone: Bool) -> GroupReaction {
    let missed = rules.sessionEnd(of: at)
    guard let back else {
      return GroupReaction(
        noticed: missed, shifted: isAlone ? nil : missed + rules.rebalancePause)
    }
    guard let agreed = rules.agreement(lost: at, back: back) else {
      return GroupReaction(noticed: back, shifted: back)
    }
    let noticed = min(missed, agreed)
    return GroupReaction(
      noticed: noticed, shifted: (isAlone ? agreed : noticed) + rules.rebalancePause)
  }
}

/// A consumer, by its position among all gateways and consumers, is away.
struct ConsumerCrash: Sendable {
  var consumer: Int
  var span: Range<Instant>
}
