import Primitives

/// The places of a service that several clusters of a region have: its zones there, cluster by
/// cluster, each with its weight.
///
/// Traffic of a second is one count over all of them, split by their weights in this order, so that
/// each cluster draws its own part and knows the others'.
public struct ServiceSpread: Sendable, Equatable {
  /// By place: its number among all zones of the region.
  public var places: [Int]
  public var weights: [Double]
  /// Those that are the cluster's own, in the order of the service's zones.
  public var own: Range<Int>

  public init(places: [Int], weights: [Double], own: Range<Int>) {
    self.places = places
    self.weights = weights
    self.own = own
  }
}

/// What a cluster knows of a region whose clusters have services in common: how many zones each of
/// them has, and which it is itself.
public struct RegionMembership: Sendable, Equatable {
  /// By cluster of the region.
  public var zoneCounts: [Int]
  public var own: Int

  public init(zoneCounts: [Int], own: Int) {
    self.zoneCounts = zoneCounts
    self.own = own
  }

  /// The number of its first zone among all of the region.
  public var firstZone: Int { zoneCounts.prefix(own).reduce(0, +) }
  public var zoneCount: Int { zoneCounts.reduce(0, +) }
  /// Its zones among all of the region.
  var ownZones: Range<Int> { firstZone..<firstZone + zoneCounts[own] }
}

extension ServiceConfiguration {
  /// Where the arrivals of its first lane stand among all of its places.
  var firstPlace: Int { spread?.own.lowerBound ?? 0 }
  /// Places that its traffic is dealt to, in this cluster and others.
  public var placeCount: Int { spread?.places.count ?? zones.count }
}
