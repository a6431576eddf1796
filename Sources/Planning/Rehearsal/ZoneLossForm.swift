import Platform
import Primitives
import Simulation

/// What a zone must bear when others of its cluster are lost, by a closed form.
///
/// The traffic of a service in lost zones goes evenly to the zones that are left to it, so that
/// with z zones and l lost each has z ÷ (z - l) of that service's load, and a zone the sum over
/// those that it has: a service that is not in the lost zone changes nothing. Load is offered
/// processors, as in `ClusterLossForm`.
public struct ZoneLossForm: Sendable {
  /// By zone among all: load with the losses ÷ load without; nil where the zone is lost itself.
  public var factors: [Double?]

  /// - Parameter lost: numbers of zones.
  public init(_ configuration: ClusterConfiguration, lost: Set<Int>) {
    func sums(_ load: (ServiceConfiguration) -> Double) -> (before: [Double], after: [Double]) {
      var before = configuration.zones.map { _ in 0.0 }
      var after = before
      for service in configuration.services {
        let own = load(service)
        let left = service.zones.filter { !lost.contains($0.index) }
        for zone in service.zones { before[zone.index] += own / Double(service.zones.count) }
        for zone in left { after[zone.index] += own / Double(left.count) }
      }
      return (before, after)
    }
    let cores = sums { $0.meanRatePerSecond * $0.serviceTime.mean * $0.cpuFraction }
    // Where nothing computes, by requests.
    let requests = sums { $0.meanRatePerSecond }
    let (before, after) = cores.before.contains { $0 > 0 } ? cores : requests
    factors = configuration.zones.indices.map { zone in
      guard !lost.contains(zone) else { return nil }
      return before[zone] > 0 ? after[zone] / before[zone] : 1
    }
  }

  /// By zone, the greatest of all times at which zones were lost in a run: nil where it was lost
  /// whenever one was. A loss that came when another was over does not add to that. Where whole
  /// clusters are lost, a zone of those that take over has `ClusterLossForm`'s part as well.
  static func greatest(_ outcome: RunOutcome) -> [Double?] {
    var lost: Set<Int> = []
    var greatest = outcome.configuration.zones.map { _ in Double?.none }
    let events = outcome.collected.log.events.map(\.event).filter {
      $0.kind == .zoneLost || $0.kind == .zoneBack
    }
    let ordered = events.enumerated().sorted {
      ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
    }.map(\.element)
    for (index, event) in ordered.enumerated() {
      if event.kind == .zoneLost { lost.insert(event.subject) } else { lost.remove(event.subject) }
      // Zones that go at one time go together.
      let isLast = index + 1 == ordered.count || ordered[index + 1].at > event.at
      guard isLast, !lost.isEmpty else { continue }
      for (zone, factor) in whole(outcome.configuration, lost: lost).enumerated() {
        guard let factor else { continue }
        greatest[zone] = max(greatest[zone] ?? factor, factor)
      }
    }
    return greatest
  }

  /// By zone among all: load with zones and with them perhaps whole clusters lost ÷ load without;
  /// nil where the zone is lost itself.
  private static func whole(_ configuration: ClusterConfiguration, lost: Set<Int>) -> [Double?] {
    var factors = ZoneLossForm(configuration, lost: lost).factors
    let parts = configuration.parts
    let clusters = parts.indices.filter { parts[$0].zones.allSatisfy(lost.contains) }
    for survivor in ClusterLossForm(configuration, lost: Set(clusters)).survivors {
      for zone in parts[survivor.cluster].zones {
        factors[zone] = factors[zone].map { $0 * survivor.factor }
      }
    }
    return factors
  }
}

extension RunOutcome {
  /// The greatest mean use of a zone's processors over an interval of the series that begins within
  /// a span, or of a shorter one in the interval after its beginning. Nil: there is none, or no
  /// machine.
  func greatestUse(of zone: Int, in span: Range<Instant>) -> Double? {
    collected.zoneSamples.filter { sample in
      let shortest = span.lowerBound + (sample.at - sample.from)
      return sample.zone == zone && sample.cores > 0 && sample.from >= span.lowerBound
        && sample.from < max(span.upperBound, shortest)
    }.map { $0.usedCores / $0.cores }.max()
  }
}
