import Primitives

/// Regions with their clusters. What `cluster` says holds for each of them that does not say
/// otherwise.
enum RegionReading {
  static func regions(_ reader: inout FieldReader) -> [RegionSection] {
    let common = reader.given("cluster")
    return reader.list("regions").map { tree, path in
      var region = FieldReader(tree, path: path, mark: tree.mark, context: reader.context)
      defer { region.finish() }
      let name = region.string("name")
      let clusters = region.list("clusters", required: true).map { tree, path in
        cluster(
          common.map { $0.overlaid(by: tree) } ?? tree, at: path, mark: tree.mark, of: name,
          reader.context)
      }
      let assign = PlacementReading.rules(&region, region: name)
      var section = RegionSection(name: name, clusters: clusters, assign: assign)
      section.clockAhead = region.duration("clock_ahead", .assumed("0s"))
      return section
    }
  }

  private static func cluster(
    _ tree: Tree, at path: String, mark: Mark, of region: String, _ context: ReadingContext
  ) -> ClusterSection {
    var reader = FieldReader(tree, path: path, mark: mark, context: context)
    var section = ClusterReading.read(&reader)
    let own = "\(region)/\(section.name)"
    func qualified(_ zone: String) -> String { ScenarioDocument.qualified(zone, in: own) }
    for index in section.zones.indices {
      section.zones[index].name = qualified(section.zones[index].name)
    }
    for index in section.nodePools.indices {
      section.nodePools[index].zones = section.nodePools[index].zones.map(qualified)
    }
    if var virtual = section.virtualNodes {
      virtual.zones = virtual.zones.map(qualified)
      section.virtualNodes = virtual
    }
    return section
  }

  /// All clusters as one, for what is about all zones.
  static func union(_ regions: [RegionSection]) -> ClusterSection {
    let clusters = regions.flatMap(\.clusters)
    var union = clusters.first ?? ClusterSection()
    union.zones = clusters.flatMap(\.zones)
    union.nodePools = clusters.flatMap(\.nodePools)
    return union
  }
}

extension Tree {
  /// A mapping with the entries of another over its own, mappings within mappings too; anything
  /// else is replaced.
  func overlaid(by other: Tree) -> Tree {
    guard case .mapping(var entries) = content, case .mapping(let others) = other.content else {
      return other
    }
    for entry in others {
      if let index = entries.firstIndex(where: { $0.key == entry.key }) {
        entries[index].value = entries[index].value.overlaid(by: entry.value)
        entries[index].mark = entry.mark
      } else {
        entries.append(entry)
      }
    }
    return Tree(content: .mapping(entries), mark: other.mark)
  }
}
