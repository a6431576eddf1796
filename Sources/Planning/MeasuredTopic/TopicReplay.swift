import ControlPlane
import Platform
import Policies
import Primitives
import SimulationKernel
import Workload

/// What a replay knows of the workers.
public struct WorkerModel: Sendable, Equatable {
  /// Messages a second that one worker answers when it is busy all the time.
  public var capacityPerSecond: Double
  /// For so long nobody reads after the number of workers has changed.
  public var restartPauseSeconds: Int

  public init(capacityPerSecond: Double, restartPauseSeconds: Int) {
    self.capacityPerSecond = capacityPerSecond
    self.restartPauseSeconds = restartPauseSeconds
  }
}

/// Puts what was produced through a simulated topic whose instances are as many as the workers that
/// were counted.
public enum TopicReplay {
  /// A worker is an instance that answers so many messages at a time, so that the way there and
  /// back, for which a slot is held too, takes little of its capacity.
  private static let slots = 100
  private static let hop = Nanoseconds.microseconds(250)

  /// Lag at the end of each second.
  ///
  /// - Parameter seconds: of the beginning.
  /// - Throws: `InvariantViolation` when the run does not add up.
  public static func lag(
    _ topic: MeasuredTopic, _ model: WorkerModel, seconds: Int
  ) throws -> [Double] {
    let simulation = ClusterSimulation(
      configuration(topic, model, seconds: seconds), recorder: IgnoringRecorder())
    var lag: [Double] = []
    for second in 1...seconds {
      try simulation.run(until: .seconds(Int64(second)))
      lag.append(Double(simulation.lane(LaneID(0)).gauges.lag))
    }
    try simulation.checkInvariants()
    return lag
  }

  private static func configuration(
    _ topic: MeasuredTopic, _ model: WorkerModel, seconds: Int
  ) -> ClusterConfiguration {
    var cluster = FidelityWorld.cluster(FidelitySide(.flow, .epoch), seed: 1)
    cluster.kubernetes.create = .constant(0)
    cluster.network.sameZone = hop
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
    var rules = FidelityWorld.rules(instances: 1_000_000)
    rules.minimumInstances = 0
    rules.concurrencyLimit = slots
    let first = topic.workers[0]
    let key = StreamKey(seed: 1, replication: 0, name: "arrivals")
    let counts = Array(topic.produced.prefix(seconds))
    var service = ServiceConfiguration(
      name: "workers", runtime: 0, shape: 0, zones: [ZoneID(0)], router: rules,
      serviceTime: .constant(Double(slots) / model.capacityPerSecond - (hop + hop).seconds),
      initialInstances: [first]
    ) { _ in CountedSource(counts: counts, blockSeconds: 1, key: key, lane: 0, weights: [1]) }
    service.topic = self.topic(topic, model)
    service.initialRatePerSecond = Double(topic.produced[0])
    let steps = schedule(topic)
    service.scaling = ScalingConfiguration { ReplayedCounts(steps) }
    cluster.services = [service]
    return cluster
  }

  /// Neither windows nor fetches bind: it is the workers that are measured.
  private static func topic(
    _ topic: MeasuredTopic, _ model: WorkerModel
  ) -> TopicConfiguration {
    var rules = TopicConfiguration(partitions: 64)
    rules.window = 4096
    rules.fetchMessages = 1_000_000
    // Pauses that overlap are one.
    for change in topic.changes where model.restartPauseSeconds > 0 {
      let pause =
        Instant.seconds(
          Int64(change))..<Instant.seconds(
          Int64(change + model.restartPauseSeconds))
      if let last = rules.pauses.last, pause.lowerBound <= last.upperBound {
        rules.pauses[rules.pauses.count - 1] = last.lowerBound..<pause.upperBound
      } else {
        rules.pauses.append(pause)
      }
    }
    return rules
  }

  private static func schedule(_ topic: MeasuredTopic) -> [ReplayedCounts.Step] {
    [ReplayedCounts.Step(at: .origin, pods: topic.workers[0])]
      + topic.changes.map {
        ReplayedCounts.Step(at: .seconds(Int64($0)), pods: topic.workers[$0])
      }
  }
}

/// Looks at nothing: a replay is asked for its lag.
private final class IgnoringRecorder: TimeRecorder {
  func record(_ nanoseconds: UnsafeBufferPointer<Int64>, _ measure: LatencyMeasure, lane: LaneID) {}
  func record(
    counted times: UnsafeBufferPointer<CountedTime>, _ measure: LatencyMeasure, lane: LaneID
  ) {}
}
