import Platform
import Primitives

/// Lanes of another cluster of the region that are watched beside those of the one that is looked
/// at: clients whose cluster gets nothing any more try again there.
///
/// It tells of attempts, calls and ends, under numbers of lanes that no lane of the cluster that is
/// looked at has; what comes there by itself, and its control plane, are that cluster's own matter.
public final class WatchedElsewhere: TraceRecorder {
  let simulation: ClusterSimulation
  /// What the cluster is called, region and cluster.
  let path: String
  /// As its lanes are numbered here.
  let lanes: Range<Int>
  private let recorder: any TraceRecorder

  init(
    _ simulation: ClusterSimulation, _ path: String, first: Int, into recorder: any TraceRecorder
  ) {
    self.simulation = simulation
    self.path = path
    lanes = first..<first + simulation.laneCount
    self.recorder = recorder
  }

  private func number(_ lane: LaneID) -> LaneID { LaneID(lanes.lowerBound + lane.index) }

  public func arrived(_ arrival: TracedArrival) {}

  public func attempted(_ attempt: TracedAttempt) {
    var attempt = attempt
    attempt.lane = number(attempt.lane)
    recorder.attempted(attempt)
  }

  public func called(_ call: TracedCall) {
    var call = call
    call.lane = number(call.lane)
    recorder.called(call)
  }

  public func ended(_ end: TracedEnd) {
    var end = end
    end.lane = number(end.lane)
    recorder.ended(end)
  }

  public func sent(_ message: TracedMessage) {}
  public func decided(_ decision: TracedDecision) {}
}

extension WatchedRun {
  /// Begins to watch what clients of some services do in other clusters, where the lanes are single
  /// requests; those at flow fidelity have no single ones.
  func watchElsewhere(into recorder: any TraceRecorder) -> [WatchedElsewhere] {
    let here = run.cluster
    let names = Set(
      lanes.map { here.configuration.services[here.place(of: $0).service.index] }
        .filter { $0.spread != nil && $0.clients != nil }.map(\.name))
    guard !names.isEmpty else { return [] }
    var found: [WatchedElsewhere] = []
    var first = here.laneCount
    for (index, cluster) in run.simulation.clusters.enumerated() where index != run.focus {
      let ids = cluster.configuration.services.indices.filter {
        names.contains(cluster.configuration.services[$0].name)
      }
      let parts = run.simulation.whole.parts
      let path = parts.indices.contains(index) ? parts[index].path : ""
      let other = WatchedElsewhere(cluster, path, first: first, into: recorder)
      first += cluster.laneCount
      guard !ids.isEmpty else { continue }
      cluster.watch(
        ids.flatMap { cluster.lanes(of: ServiceID($0)).map { LaneID($0) } }, into: other)
      found.append(other)
    }
    return found
  }
}
