import Primitives

/// One partition of a topic, as its lane has it at an instant.
public struct PartitionGauges: Sendable, BitwiseCopyable, Equatable {
  /// Its number in the lane.
  public var partition = 0
  /// The consumer that holds it, by its number among those that share the lane.
  public var owner = 0
  /// The broker of the zone that leads it; nil: one of another zone.
  public var leader: Int?
  /// Messages that were ever in its log.
  public var produced = 0
  /// Messages that the broker does not know as committed, now and at most.
  public var lag = 0
  public var peakLag = 0
}

extension LaneModel {
  /// None where the lane does not tell its partitions apart.
  var partitions: [PartitionGauges] { [] }
}

extension RequestLane {
  var partitions: [PartitionGauges] {
    (0..<engine.core.topic.count).map { index in
      var gauges = PartitionGauges(partition: index)
      let leader = engine.core.topic.leaders.leaders[index]
      gauges.leader = leader == .max ? nil : Int(leader)
      gauges.owner = Int(engine.core.topic[index].owner)
      gauges.produced = Int(engine.core.topic[index].log.logEnd)
      gauges.lag = engine.core.topic[index].log.lag
      gauges.peakLag = engine.core.topic[index].peakLag
      return gauges
    }
  }
}
