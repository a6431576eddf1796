import Primitives

extension ServiceSection {
  /// What a sample of the service's signals is the mean of: what the cluster says, or else the
  /// shortest time that one of its policies wants, since a lane has one way to be measured.
  public func signalPeriod(in cluster: ClusterSection) -> Nanoseconds {
    if let stated = cluster.signalPeriod { return stated }
    let wanted = scaling.compactMap { PolicyTable.named($0.policy)?.signalNanoseconds }
    return wanted.min().map { Nanoseconds($0) } ?? .seconds(1)
  }
}
