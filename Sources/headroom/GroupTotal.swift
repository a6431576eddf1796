import Platform
import ResultStore
import Simulation

/// What the services that a scenario describes together came to in all replications, without the
/// warm-up.
struct GroupTotal {
  var services = 0
  var counters = LaneCounters()
  var start = LatencyHistogram.coarse()

  init(_ name: String, _ outcomes: [RunOutcome]) {
    for (ordinal, outcome) in outcomes.enumerated() {
      let isMember = outcome.configuration.services.map { $0.group == name }
      if ordinal == 0 { services = isMember.count { $0 } }
      for (lane, counted) in outcome.collected.laneCounters.enumerated()
      where isMember[outcome.collected.serviceOfLane[lane]] {
        counters.add(counted)
      }
      for (service, measures) in outcome.collected.services.enumerated() where isMember[service] {
        start.merge(measures[Int(LatencyMeasure.startLatency.rawValue)])
      }
    }
  }
}
