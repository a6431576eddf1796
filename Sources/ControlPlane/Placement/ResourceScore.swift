/// Kubernetes' scores of a node by its resources: integers from 0 to 100, with integer division
/// exactly as there (`pkg/scheduler/framework/plugins/noderesources`).
public enum ResourceScore {
  public static let highest: Int64 = 100

  /// What a container counts for that asks for nothing: 100 milli-cores, 200 MiB.
  public static let defaultCPUMilli: Int64 = 100
  public static let defaultMemoryBytes: Int64 = 200 << 20

  /// LeastAllocated for one resource: the free share.
  public static func least(requested: Int64, capacity: Int64) -> Int64 {
    capacity == 0 || requested > capacity ? 0 : (capacity - requested) * highest / capacity
  }

  /// MostAllocated for one resource: the taken share, at most all of it.
  public static func most(requested: Int64, capacity: Int64) -> Int64 {
    capacity == 0 ? 0 : min(requested, capacity) * highest / capacity
  }

  public struct BadWeight: Error, Equatable {
    public var weight: Int64
  }

  /// The mean of scores by their weights, each from 1 to 100.
  public static func combined(
    _ scores: [(score: Int64, weight: Int64)]
  ) throws(BadWeight) -> Int64 {
    for item in scores where !(1...highest).contains(item.weight) {
      throw BadWeight(weight: item.weight)
    }
    let weight = scores.reduce(0) { $0 + $1.weight }
    return weight == 0 ? 0 : scores.reduce(0) { $0 + $1.score * $1.weight } / weight
  }

  /// BalancedAllocation: how alike the shares of the resources are; 100 less their standard
  /// deviation in percent. Shares above 1 count as 1.
  public static func balanced(_ shares: [Double]) -> Int64 {
    let capped = shares.map { min($0, 1) }
    var deviation = 0.0
    if capped.count == 2 {
      deviation = abs(capped[0] - capped[1]) / 2
    } else if capped.count > 2 {
      let mean = capped.reduce(0, +) / Double(capped.count)
      let squares = capped.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      deviation = (squares / Double(capped.count)).squareRoot()
    }
    return Int64((1 - deviation) * Double(highest))
  }
}
