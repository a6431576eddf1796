import Platform
import ResultStore
import Scenario
import Simulation
import Statistics
import Workload

/// What the services that a scenario describes together came to in all replications, without the
/// warm-up.
struct GroupTotal {
  let name: String
  var services = 0
  var counters = LaneCounters()
  var start = LatencyHistogram.coarse()
  /// By replication.
  private var requests: [Double] = []
  private var coldStarts: [Double] = []

  init(_ name: String, _ outcomes: [RunOutcome]) {
    self.name = name
    for (ordinal, outcome) in outcomes.enumerated() {
      let isMember = outcome.configuration.services.map { $0.group == name }
      if ordinal == 0 { services = isMember.count { $0 } }
      var sum = LaneCounters()
      for (lane, counted) in outcome.collected.laneCounters.enumerated()
      where isMember[outcome.collected.serviceOfLane[lane]] {
        sum.add(counted)
      }
      counters.add(sum)
      requests.append(Double(sum.arrivals))
      coldStarts.append(Double(sum.coldStarts))
      for (service, measures) in outcome.collected.services.enumerated() where isMember[service] {
        start.merge(measures[Int(LatencyMeasure.startLatency.rawValue)])
      }
    }
  }

  /// Cold starts of the requests; nil without a request.
  var share: Double? {
    counters.arrivals > 0 ? Double(counters.coldStarts) / Double(counters.arrivals) : nil
  }

  /// The 95 % interval of the share, from how each replication departs from that of all of them.
  var interval: Interval? {
    try? RatioEstimate.interval(numerators: coldStarts, denominators: requests)
  }
}

/// Cold starts that a trace's publishers give, for what the replications of a run replay.
struct PublishedShare {
  var file: PublishedColdStarts
  /// Of all replications together; nil where one of them cuts through a block.
  var run: PublishedColdStarts?

  /// Nil where the section has no trace with such a column.
  init?(_ section: ServiceSection, _ scenario: LoadedScenario, replications: [Int]) {
    let found = replications.map {
      scenario.traces.publishedColdStarts(of: section, in: scenario.document, replication: $0)
    }
    guard let first = found.first, let file = first?.file else { return nil }
    self.file = file
    run = PublishedColdStarts(column: file.column, invocations: 0, coldStarts: 0)
    for part in found {
      guard let part = part?.run else {
        run = nil
        return
      }
      run?.invocations += part.invocations
      run?.coldStarts += part.coldStarts
    }
  }
}
