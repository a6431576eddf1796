import Platform

/// A failure domain that is lost as a whole.
public struct LossTarget: Sendable, Equatable {
  /// What it is, the smallest first.
  public enum Domain: String, Sendable, CaseIterable {
    case zone, cluster, region

    /// `zones`, as commands name them.
    public var plural: String { "\(rawValue)s" }
  }

  public var domain: Domain
  /// As the faults of a scenario name it.
  public var name: String
  /// Its zones among those of all clusters.
  public var zones: Range<Int>

  /// All domains of a kind, in the order of the scenario. None is a cluster or a region where the
  /// scenario has no regions: a fault could not name it.
  public static func all(_ domain: Domain, of whole: ClusterConfiguration) -> [LossTarget] {
    let parts = whole.parts.filter { !$0.region.isEmpty }
    switch domain {
    case .zone:
      return whole.zones.indices.map {
        LossTarget(domain: .zone, name: whole.zones[$0].name, zones: $0..<$0 + 1)
      }
    case .cluster:
      return parts.map { LossTarget(domain: .cluster, name: $0.path, zones: $0.zones) }
    case .region:
      var regions: [LossTarget] = []
      // Clusters of a region stand one after the other.
      for part in parts {
        if let last = regions.last, last.name == part.region {
          regions[regions.count - 1].zones = last.zones.lowerBound..<part.zones.upperBound
        } else {
          regions.append(LossTarget(domain: .region, name: part.region, zones: part.zones))
        }
      }
      return regions
    }
  }

  /// Zones that take over from it, each with its load with the loss ÷ without, by a closed form:
  /// `ZoneLossForm` in the cluster of a zone, `ClusterLossForm` in the region of a cluster. Nobody
  /// takes over from a region: the others have what they had.
  func takingOver(of whole: ClusterConfiguration) -> [(zone: Int, factor: Double)] {
    switch domain {
    case .zone:
      let all = whole.part(ofZone: zones.lowerBound)?.zones ?? whole.zones.indices
      let form = ZoneLossForm(whole, lost: Set(zones))
      return all.compactMap { zone in form.factors[zone].map { (zone, $0) } }
    case .cluster:
      let lost = whole.parts.indices.filter { whole.parts[$0].zones == zones }
      let region = lost.first.map { whole.parts[$0].region }
      let survivors = ClusterLossForm(whole, lost: Set(lost)).survivors
      return whole.parts.indices.filter {
        !lost.contains($0) && whole.parts[$0].region == region
      }.flatMap { part in
        let factor = survivors.first { $0.cluster == part }?.factor ?? 1
        return whole.parts[part].zones.map { ($0, factor) }
      }
    case .region:
      return whole.zones.indices.filter { !zones.contains($0) }.map { ($0, 1) }
    }
  }
}
