import Primitives

extension ServiceSection {
  /// What a sample of the service's signals is the mean of: what the cluster says, or else the
  /// shortest time that one of its policies wants, since a lane has one way to be measured.
  public func signalPeriod(in cluster: ClusterSection) -> Nanoseconds {
    if let stated = cluster.signalPeriod { return stated }
    let wanted = scaling.compactMap { policy -> Int64? in
      // What waits and lags is told by gateways and brokers, not by metrics-server; and a count of
      // those that wait, which is of an instant, must not stand for long (assumed).
      let isOfMachines = policy["concurrency"] == nil && policy["lag"] == nil
      guard policy.policy != "hpa" || isOfMachines else { return 1_000_000_000 }
      return PolicyTable.named(policy.policy)?.signalNanoseconds
    }
    return wanted.min().map { Nanoseconds($0) } ?? .seconds(1)
  }
}
