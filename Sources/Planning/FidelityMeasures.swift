import ControlPlane
import Platform
import Primitives
import ResultStore

/// What one run of a cell measured; times in seconds.
public struct FidelityMeasures: Sendable {
  public var arrivals: Double
  public var meanLatency: Double
  public var p50Latency: Double
  public var p90Latency: Double
  public var p99Latency: Double
  public var p999Latency: Double
  /// Of all requests, also those that did not wait.
  public var meanWait: Double
  public var waitProbability: Double
  /// Messages that are not committed, at whole seconds.
  public var meanLag: Double
  /// Whether every lane was flow at the end.
  public var isFlow: Bool
  /// Slots in use ÷ slots.
  public var utilisation: Double
  /// Requests that waited for an instance to be made.
  public var coldStarts: Double
  /// Instances that joined.
  public var instancesMade: Double
  public var meanInstances: Double
  /// The most ready instances at a whole second.
  public var peakInstances: Double
  /// Ready instances at the end of each second.
  public var ready: [Int]

  init(
    _ recorder: FidelityRecorder, _ counters: LaneCounters, ready: [Int], meanLag: Double,
    concurrency: Int, isFlow: Bool
  ) {
    self.meanLag = meanLag
    self.isFlow = isFlow
    let all = Double(max(1, recorder.latencies.count))
    arrivals = Double(counters.arrivals)
    meanLatency = recorder.latencies.mean * 1e-9
    p50Latency = Double(recorder.latencies.quantile(0.5)) * 1e-9
    p90Latency = Double(recorder.latencies.quantile(0.9)) * 1e-9
    p999Latency = Double(recorder.latencies.quantile(0.999)) * 1e-9
    p99Latency = Double(recorder.latencies.quantile(0.99)) * 1e-9
    meanWait = recorder.waitSeconds / all
    waitProbability = Double(recorder.waited) / all
    utilisation =
      counters.inFlightSeconds / max(1e-9, counters.readySeconds * Double(concurrency))
    coldStarts = Double(counters.coldStarts)
    instancesMade = Double(counters.instancesAdded)
    meanInstances = counters.readySeconds / Double(max(1, ready.count))
    peakInstances = Double(ready.max() ?? 0)
    self.ready = ready
  }
}

/// Keeps what a cell is judged by.
final class FidelityRecorder: TimeRecorder {
  private(set) var latencies = LatencyHistogram(.threeDigits)
  private(set) var waitSeconds = 0.0
  private(set) var waited = 0

  /// Forgets what was before.
  func begin() {
    latencies = LatencyHistogram(.threeDigits)
    waitSeconds = 0
    waited = 0
  }

  func record(
    _ nanoseconds: UnsafeBufferPointer<Int64>, _ measure: LatencyMeasure, lane: LaneID
  ) {
    switch measure {
    case .latency: latencies.record(contentsOf: nanoseconds)
    case .wait:
      for time in nanoseconds { waitSeconds += Double(time) * 1e-9 }
      waited += nanoseconds.count
    case .startLatency: break
    }
  }

  func record(
    counted times: UnsafeBufferPointer<CountedTime>, _ measure: LatencyMeasure, lane: LaneID
  ) {
    switch measure {
    case .latency:
      for time in times { latencies.record(time.nanoseconds, count: UInt64(time.count)) }
    case .wait:
      for time in times {
        waitSeconds += Double(time.nanoseconds) * 1e-9 * Double(time.count)
        waited += time.count
      }
    case .startLatency: break
    }
  }
}
