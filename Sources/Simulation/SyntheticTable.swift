import Primitives
import Scenario
import Workload

/// The synthetic services of a scenario with their arrivals minute by minute, service by service.
public struct SyntheticTable: Sendable {
  /// A service, by its group and its rank there.
  public struct Place: Sendable, Equatable {
    var group: Int
    var member: Int
  }

  private let groups: [SyntheticMembers]

  public init(_ document: ScenarioDocument, replication: Int = 0) {
    groups = document.services.filter { $0.arrivals.process == .bytefaas }.map {
      SyntheticMembers($0, document, seed: document.seed, replication: UInt64(replication))
    }
  }

  public var isEmpty: Bool { groups.isEmpty }

  /// The place of a service; nil where there is none of that name. O(1).
  public func find(_ name: String) -> Place? {
    for (index, group) in groups.enumerated() {
      if group.section.count == 1, group.section.name == name {
        return Place(group: index, member: 0)
      }
      guard name.hasPrefix(group.section.name + "-"),
        let member = Int(name.dropFirst(group.section.name.count + 1)),
        (0..<group.section.count).contains(member)
      else { continue }
      return Place(group: index, member: member)
    }
    return nil
  }

  /// Services that are called at all, of each group at most so many, evenly over their ranks.
  public func all(atMost sample: Int?) -> [Place] {
    groups.enumerated().flatMap { index, group in
      let count = group.section.count
      let step = max(1, sample.map { (count + $0 - 1) / $0 } ?? 1)
      return stride(from: step / 2, to: count, by: step).compactMap { member in
        group.member(member).isCalled ? Place(group: index, member: member) : nil
      }
    }
  }

  public func name(of place: Place) -> String { groups[place.group].name(of: place.member) }

  /// Arrivals of a service in each minute. O(seconds).
  public func minutes(of place: Place, count: Int, _ tables: SyntheticShelf) -> [Int] {
    let member = groups[place.group].member(place.member)
    let source = member.source(lane: 0, zones: 1, factors: member.dispersion.map(tables.table))
    return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 60) { seconds in
      guard let base = seconds.baseAddress else { return [] }
      return (0..<count).map { minute in
        source.count(from: minute * 60, seconds: 60, into: base)
        return (0..<60).reduce(0) { $0 + Int(base[$1]) }
      }
    }
  }
}
