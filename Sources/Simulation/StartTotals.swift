import ControlPlane
import Platform
import Primitives
import ResultStore

/// Starts of instances by runtime and path, with the time that each part took.
public struct StartTotals: Sendable {
  /// The parts of a start, in their order on the way.
  public enum Component: String, CaseIterable, Sendable {
    case allocation
    case podCreation = "pod_creation"
    case code, agent, initialisation, publication, total
  }

  public let runtimeCount: Int
  /// By runtime, path and component.
  public private(set) var histograms: [LatencyHistogram]
  /// By runtime, path and code level.
  public private(set) var codeLevels: [Int]
  /// By reason.
  public var failed = [Int](repeating: 0, count: StartFailure.allCases.count)

  init(runtimes: Int) {
    runtimeCount = runtimes
    let paths = StartPath.allCases.count
    histograms = (0..<(runtimes * paths * Component.allCases.count)).map { _ in .coarse() }
    codeLevels = Array(repeating: 0, count: runtimes * paths * CodeLevel.allCases.count)
  }

  mutating func add(_ start: StartRecord, runtime: Int) {
    let parts = [
      start.allocation, start.podCreation, start.codeLoading, start.agent, start.initialisation,
      start.publication, start.total,
    ]
    for (component, part) in parts.enumerated() {
      histograms[index(runtime, start.path, component)].record(part.count, count: 1)
    }
    codeLevels[codeIndex(runtime, start.path, start.code)] += 1
  }

  public func histogram(
    runtime: Int, path: StartPath, _ component: Component
  ) -> LatencyHistogram {
    let position = Component.allCases.firstIndex(of: component) ?? 0
    return histograms[index(runtime, path, position)]
  }

  public func count(runtime: Int, path: StartPath) -> Int {
    Int(histogram(runtime: runtime, path: path, .total).count)
  }

  public func codeCount(runtime: Int, path: StartPath, _ level: CodeLevel) -> Int {
    codeLevels[codeIndex(runtime, path, level)]
  }

  private func index(_ runtime: Int, _ path: StartPath, _ component: Int) -> Int {
    (runtime * StartPath.allCases.count + Int(path.rawValue)) * Component.allCases.count + component
  }

  private func codeIndex(_ runtime: Int, _ path: StartPath, _ level: CodeLevel) -> Int {
    (runtime * StartPath.allCases.count + Int(path.rawValue)) * CodeLevel.allCases.count
      + Int(level.rawValue)
  }
}
