import Foundation

@testable import Scenario

/// Scenarios that the tests change and read.
enum Samples {
  /// The smallest scenario that means something, with one of each reference.
  static let valid = """
    headroom: 1
    name: sample
    duration: 10m
    warmup: 1m
    cluster:
      zones:
        - {name: zone-a, nodes: {count: 4, cpu: 16, memory: 64GiB}}
        - {name: zone-b, nodes: {count: 4, cpu: 16, memory: 64GiB}}
      gateways: {per_zone: 2}
    runtimes:
      python: {init: "lognormal(median: 200ms, sigma: 0.8)"}
      go: {init: constant(30ms)}
    shapes:
      small: {cpu: 0.5, memory: 256MiB}
    pools: {size: 2%, only: [python]}
    services:
      - name: api
        runtime: python
        shape: small
        zones: [zone-a]
        arrivals: {process: poisson, rate: 120/s}
        service_time: exponential(mean: 20ms)
        keep_alive: fixed(60s)
        scaling: knative(target: 10, window: 60s)
      - name: jobs
        runtime: go
        shape: small
        arrivals: {process: diurnal, peak: 2k/m, curve: offline}
        service_time: constant(50ms)
    objectives:
      - "p99(latency, service=api) < 400ms"
      - "failed / requests < 0.1%"
    faults:
      - {name: dies, at: 5m, crash: worker-manager-0, restart_after: 1m}

    """

  /// Marks the place of an expected diagnostic in a changed sample.
  static let marker: Character = "▲"

  /// The sample with one text replaced, without the marker, and the marker's place.
  ///
  /// - Returns: nil when the sample does not have the text exactly once.
  static func changed(_ old: String, to new: String) -> (text: String, place: Mark)? {
    guard valid.ranges(of: old).count == 1 else { return nil }
    return placed(valid.replacing(old, with: new))
  }

  /// A text without the marker, and the marker's line and column.
  static func placed(_ text: String) -> (text: String, place: Mark) {
    guard let at = text.firstIndex(of: marker) else { return (text, Mark(line: 0, column: 0)) }
    let before = text[..<at].split(separator: "\n", omittingEmptySubsequences: false)
    let place = Mark(
      line: before.count, column: (before.last?.unicodeScalars.count ?? 0) + 1)
    return (text.filter { $0 != marker }, place)
  }

  static func read(_ text: String, overrides: [String] = []) -> ScenarioReader.Result {
    ScenarioReader().read(text, file: "sample.yaml", overrides: overrides)
  }
}

/// The project's folder.
let projectFolder = URL(filePath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent()

/// Set to write generated files instead of comparing with them.
let isUpdatingGolden = ProcessInfo.processInfo.environment["HEADROOM_UPDATE_GOLDEN"] != nil
