import Platform
import Primitives
import Scenario
import SimulationKernel
import Workload

extension ScenarioMapping {
  /// One service for each row of the section's trace.
  ///
  /// Arrivals depend on the row alone and not on the section, so that sections that replay the
  /// same trace under different rules meet the same requests.
  func traced(
    _ section: ServiceSection, seed: UInt64, replication: UInt64
  ) -> [ServiceConfiguration] {
    guard let trace = traces.trace(of: section.name), let how = section.arrivals.trace else {
      return []
    }
    let key = StreamKey(seed: seed, replication: replication, name: "arrivals")
      .appending(XXH3.hash64(how.file))
    let zoneIDs = zoneIDs(section)
    let patterns = patterns(section, how, count: trace.services.count, key: key)
    return trace.services.enumerated().map { index, row in
      let recipe = TraceRecipe(
        demand: row.demand, pattern: patterns?[index], keepsDurations: section.serviceTimeFromTrace,
        key: key.appending(XXH3.hash64("\(row.app)/\(row.name)")), zones: zoneIDs.count)
      var rowSection = section
      if section.shapeFromMemory { rowSection.shape = shape(holding: row) }
      var service = service(
        rowSection, name: "\(section.name)/\(row.name)", recipe, zoneIDs: zoneIDs)
      if section.serviceTimeFromTrace, let duration = row.duration,
        let table = try? EmpiricalTable(probabilities: duration.shares, values: duration.values)
      {
        service.serviceTime = .empirical(table)
      }
      return service
    }
  }

  /// How requests lie within their blocks, service by service; nil: uniformly.
  private func patterns(
    _ section: ServiceSection, _ how: TraceSection, count: Int, key: StreamKey
  ) -> [RenewalPattern]? {
    switch how.within {
    case .poisson: return nil
    case .regular: return Array(repeating: .regular, count: count)
    case .batches:
      let table = traces.variations(of: section.name)
      return table?.deal(count: count, key: key).map(RenewalPattern.init(variation:))
    }
  }

  /// The smallest shape whose memory holds 99 % of what was measured of the service, or the largest
  /// there is.
  private func shape(holding row: TraceService) -> String {
    let needed = row.memoryMiB?.quantile(0.99) ?? 0
    let sorted = document.shapes.sorted { $0.memoryBytes < $1.memoryBytes }
    let fitting = sorted.first { Double($0.memoryBytes >> 20) >= needed }
    return (fitting ?? sorted.last)?.name ?? ""
  }
}

/// Arrivals of one service of a trace.
struct TraceRecipe: ArrivalMaking {
  let demand: TraceDemand
  /// Within blocks; nil: uniform.
  let pattern: RenewalPattern?
  let keepsDurations: Bool
  let key: StreamKey
  let zones: Int

  /// Of the first block, or of the first minute.
  var initialRate: Double {
    switch demand {
    case .counts(let counts, let seconds): Double(counts.first ?? 0) / Double(seconds)
    case .points(let points):
      Double(points.prefix { $0.nanoseconds < 60_000_000_000 }.count) / 60
    }
  }

  var meanRate: Double {
    switch demand {
    case .counts(let counts, let seconds):
      return Double(demand.invocations) / Double(max(1, counts.count * seconds))
    case .points(let points):
      return Double(points.count) / max(1, Double(points.last?.nanoseconds ?? 0) * 1e-9)
    }
  }

  func source(lane: Int) -> any ArrivalSource {
    switch demand {
    case .points(let points):
      guard keepsDurations else {
        let bare = points.map {
          PointSource.Point(nanoseconds: $0.nanoseconds, ordinal: $0.ordinal)
        }
        return PointSource.deal(bare, zone: lane, of: zones, key: key)
      }
      return PointSource.deal(points, zone: lane, of: zones, key: key)
    case .counts(let counts, let seconds):
      if let pattern {
        return RenewalSource(
          counts: counts, blockSeconds: seconds, pattern: pattern, key: key, lane: lane,
          zones: zones)
      }
      return CountedSource(
        counts: counts, blockSeconds: seconds, key: key, lane: lane,
        weights: Array(repeating: 1, count: zones))
    }
  }
}
