import ControlPlane
import Platform
import Primitives
import ResultStore

/// Starts of instances by zone, runtime and path, with the time that each part took, and where
/// their code was found.
public struct StartTotals: Sendable {
  /// The parts of a start, in their order on the way. `messages` is what is not in the others: on
  /// the way between components, and waiting for a turn there.
  public enum Component: String, CaseIterable, Sendable {
    case allocation
    case podCreation = "pod_creation"
    case code, agent, initialisation, publication, messages, total
  }

  public let zoneCount: Int
  public let runtimeCount: Int
  private let codeBytes: [Int64]
  /// By zone, runtime, path and component.
  private var histograms: [LatencyHistogram] = []
  /// By zone and level: loads of code, and their bytes.
  private var loads: [Int] = []
  private var loadedBytes: [Int64] = []
  /// By reason.
  public var failed: [Int] = []

  init(_ configuration: ClusterConfiguration) {
    zoneCount = configuration.zones.count
    runtimeCount = configuration.runtimes.count
    codeBytes = configuration.services.map(\.codeBytes)
    restart()
  }

  /// Forgets everything so far.
  mutating func restart() {
    let count = zoneCount * runtimeCount * StartPath.allCases.count * Component.allCases.count
    histograms = (0..<count).map { _ in .coarse() }
    loads = Array(repeating: 0, count: zoneCount * CodeLevel.allCases.count)
    loadedBytes = Array(repeating: 0, count: loads.count)
    failed = Array(repeating: 0, count: StartFailure.allCases.count)
  }

  mutating func add(_ start: StartRecord, group: LaneGroup) {
    var parts = [
      start.allocation, start.podCreation, start.codeLoading, start.agent, start.initialisation,
      start.publication,
    ]
    parts.append(max(.zero, start.total - parts.reduce(.zero, +)))
    parts.append(start.total)
    for (component, part) in parts.enumerated() {
      histograms[index(group.zone, group.runtime, start.path, component)].record(part.count)
    }
    let level = group.zone * CodeLevel.allCases.count + Int(start.code.rawValue)
    loads[level] += 1
    loadedBytes[level] += codeBytes[start.request.service.index]
  }

  public func histogram(
    zone: Int, runtime: Int, path: StartPath, _ component: Component
  ) -> LatencyHistogram {
    let position = Component.allCases.firstIndex(of: component) ?? 0
    return histograms[index(zone, runtime, path, position)]
  }

  /// Of all zones together.
  public func histogram(
    runtime: Int, path: StartPath, _ component: Component
  ) -> LatencyHistogram {
    (0..<zoneCount).reduce(into: .coarse()) {
      $0.merge(histogram(zone: $1, runtime: runtime, path: path, component))
    }
  }

  public func count(runtime: Int, path: StartPath) -> Int {
    Int(histogram(runtime: runtime, path: path, .total).count)
  }

  /// Instances of a zone that found their code at a level, and the bytes of that code.
  func loads(zone: Int, _ level: CodeLevel) -> (count: Int, bytes: Int64) {
    let index = zone * CodeLevel.allCases.count + Int(level.rawValue)
    return (loads[index], loadedBytes[index])
  }

  private func index(_ zone: Int, _ runtime: Int, _ path: StartPath, _ component: Int) -> Int {
    ((zone * runtimeCount + runtime) * StartPath.allCases.count + Int(path.rawValue))
      * Component.allCases.count + component
  }
}
