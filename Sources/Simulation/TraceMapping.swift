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
    let key = traceKey(how, seed: seed, replication: replication)
    let zoneIDs = zoneIDs(section)
    let patterns = patterns(section, how, count: trace.services.count, key: key)
    let window = TraceWindow(section, of: trace, in: document, replication: Int(replication))
    return trace.services.enumerated().map { index, row in
      let recipe = TraceRecipe(
        demand: row.demand, part: window.part, pattern: patterns?[index],
        keepsDurations: section.serviceTimeFromTrace,
        key: key.appending(XXH3.hash64("\(row.app)/\(row.name)")),
        weights: weights(section, zoneIDs))
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

  /// Of everything that is drawn about a trace's arrivals: by its file, so that sections meet the
  /// same requests, and by seed and replication, so that each replication deals anew.
  private func traceKey(_ how: TraceSection, seed: UInt64, replication: UInt64) -> StreamKey {
    StreamKey(seed: seed, replication: replication, name: "arrivals")
      .appending(XXH3.hash64(how.file))
  }

  /// The variation of inter-arrival times that each service of a section's trace has in a
  /// replication, in the order of the trace; nil where the section deals none.
  public func variations(of section: ServiceSection, replication: Int) -> [Double]? {
    guard let trace = traces.trace(of: section.name), let how = section.arrivals.trace,
      how.within == .batches
    else { return nil }
    let key = traceKey(how, seed: document.seed, replication: UInt64(replication))
    return traces.variations(of: section.name)?.deal(count: trace.services.count, key: key)
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
  /// Seconds of the trace that are replayed; nil: all.
  let part: Range<Int>?
  /// Within blocks; nil: uniform.
  let pattern: RenewalPattern?
  let keepsDurations: Bool
  let key: StreamKey
  /// By place.
  let weights: [Double]

  /// Of the first block, or of the first minute.
  var initialRate: Double {
    let begin = max(0, part?.lowerBound ?? 0)
    switch demand {
    case .counts(let counts, let seconds):
      let block = begin / seconds
      return block < counts.count ? Double(counts[block]) / Double(seconds) : 0
    case .points(let points):
      let minute = Int64(begin) * 1_000_000_000..<Int64(begin + 60) * 1_000_000_000
      return Double(points.count { minute.contains($0.nanoseconds) }) / 60
    }
  }

  var meanRate: Double {
    switch demand {
    case .counts(let counts, let seconds):
      guard let part else {
        return Double(demand.invocations) / Double(max(1, counts.count * seconds))
      }
      let blocks = (max(0, part.lowerBound) / seconds..<(part.upperBound - 1) / seconds + 1)
        .clamped(to: counts.indices)
      let sum = counts[blocks].reduce(0) { $0 + Double($1) }
      return sum / Double(max(1, blocks.count * seconds))
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
        return window(PointSource.deal(bare, zone: lane, by: PlaceDeal(weights), key: key))
      }
      return window(PointSource.deal(points, zone: lane, by: PlaceDeal(weights), key: key))
    case .counts(let counts, let seconds):
      if let pattern {
        return window(
          RenewalSource(
            counts: counts, blockSeconds: seconds, pattern: pattern, key: key, lane: lane,
            by: PlaceDeal(weights)))
      }
      return window(
        CountedSource(
          counts: counts, blockSeconds: seconds, key: key, lane: lane,
          weights: weights))
    }
  }

  private func window(_ source: some ArrivalSource) -> any ArrivalSource {
    guard let part else { return source }
    return WindowSource(source, seconds: part)
  }
}
