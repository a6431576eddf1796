import ControlPlane
import Platform
import Primitives
import ResultStore
import Scenario

// Topics and their partitions as rows.
extension RunTables {
  /// Topics whose partitions are told one by one, those with the highest rates.
  static let toldTopics = 100

  func topics() -> [TopicRow] {
    outcome.topics.map { topic in
      var row = topic
      row.run = run
      return row
    }
  }

  func partitions() -> [PartitionRow] {
    let services = configuration.services
    let busiest = services.indices.filter { services[$0].topic != nil }.sorted {
      (-services[$0].meanRatePerSecond, $0) < (-services[$1].meanRatePerSecond, $1)
    }
    let told = Set(busiest.prefix(Self.toldTopics))
    return outcome.partitions.enumerated().flatMap { lane, partitions -> [PartitionRow] in
      let service = collected.serviceOfLane[lane]
      guard told.contains(service) else { return [] }
      let zone = configuration.zones[collected.groups[collected.groupOfLane[lane]].zone].name
      return partitions.map { partition in
        var row = PartitionRow(
          run: run, service: service, zone: zone, partition: partition.partition)
        row.consumer = partition.owner
        row.leader = partition.leader.map { "broker-\($0)" }
        row.produced = partition.produced
        row.lag = partition.lag
        row.peakLag = partition.peakLag
        return row
      }
    }
  }
}

extension RunOutcome {
  /// Topics by service, without a number of a run.
  public var topics: [TopicRow] {
    var counters = configuration.services.map { _ in LaneCounters() }
    var behind = configuration.services.map { _ in 0 }
    for (lane, service) in collected.serviceOfLane.enumerated() {
      counters[service].add(collected.laneCounters[lane])
      behind[service] += lags[lane]
    }
    return configuration.services.indices.compactMap { service in
      guard let topic = configuration.services[service].topic else { return nil }
      var row = TopicRow(run: 0, service: service)
      row.partitions = topic.partitions
      row.produced = Int(counters[service].arrivals)
      row.completed = Int(counters[service].completed)
      row.redelivered = Int(counters[service].redelivered)
      row.repeated = Int(counters[service].repeated)
      row.expired = Int(counters[service].expired)
      row.deadLettered = Int(counters[service].deadLettered)
      row.staleRouteFailures = Int(counters[service].staleFailures)
      row.lag = behind[service]
      let peak = collected.lagPeaks[service]
      row.peakLag = peak.lag
      if peak.lag > 0 { row.peaked = peak.at }
      row.caughtUp = peak.caughtUp
      let delay = collected.services[service][Int(LatencyMeasure.latency.rawValue)]
      if delay.count > 0 {
        row.delayMean = Nanoseconds(Int64(delay.mean))
        row.delayP50 = Nanoseconds(delay.quantile(0.5))
        row.delayP99 = Nanoseconds(delay.quantile(0.99))
        row.delayMax = Nanoseconds(delay.maximum)
      }
      return row
    }
  }
}
