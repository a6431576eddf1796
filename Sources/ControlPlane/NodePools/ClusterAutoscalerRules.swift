import Primitives

/// When Cluster Autoscaler adds and removes nodes. Origin of all defaults: published (release 1.35,
/// `config/flags/flags.go`).
public struct ClusterAutoscalerRules: Sendable, Equatable {
  public var scanInterval = Nanoseconds.seconds(10)
  /// A node that is not needed for so long goes; one that is not ready, for so long.
  public var unneededTime = Nanoseconds.seconds(600)
  public var unreadyTime = Nanoseconds.seconds(1200)
  /// Nodes below this share are not needed where their pods fit elsewhere.
  public var utilizationThreshold = 0.5
  public var gpuUtilizationThreshold = 0.5
  public var delayAfterAdd = Nanoseconds.seconds(600)
  /// Nil: the scan interval.
  public var delayAfterDelete: Nanoseconds?
  public var delayAfterFailure = Nanoseconds.seconds(180)
  /// Nodes with pods that are looked at in one scan, and the part of all nodes that they are.
  public var nonEmptyCandidates = 30
  public var candidatesPoolRatio = 0.1
  public var candidatesPoolMinCount = 50
  public var maxGracefulTermination = Nanoseconds.seconds(600)
  /// With more nodes not ready than both say, nothing is done.
  public var maxTotalUnreadyPercentage = 45.0
  public var okTotalUnreadyCount = 3
  /// A node that was asked for and is not there by then is given up.
  public var maxNodeProvisionTime = Nanoseconds.seconds(900)
  public var maxNodesPerScaleUp = 1000
  public var maxBinpackingTime = Nanoseconds.seconds(300)
  public var maxScaleDownParallelism = 10
  public var maxBulkSoftTaintCount = 10
  public var maxBulkSoftTaintTime = Nanoseconds.seconds(3)
  public var newPodScaleUpDelay = Nanoseconds.zero
  public var simulationTimeout = Nanoseconds.seconds(30)
  public var balanceSimilarPools = false
  public static let expander = Expander.leastWaste

  public init() {}

  public var effectiveDelayAfterDelete: Nanoseconds { delayAfterDelete ?? scanInterval }

  /// Whether so many nodes that are not ready leave the cluster well enough to act.
  public func isHealthy(nodes: Int, unready: Int) -> Bool {
    unready <= okTotalUnreadyCount
      || Double(unready) <= maxTotalUnreadyPercentage / 100 * Double(nodes)
  }

  /// Nodes with pods that one scan looks at.
  public func candidates(nodes: Int) -> Int {
    let pool = Double(nodes) * candidatesPoolRatio
    let least = max(candidatesPoolMinCount, Int(pool.rounded(.down)))
    return min(nonEmptyCandidates, least)
  }
}
