import Primitives

/// Where services are: the clusters that they name, and the rules by which regions assign others.
enum PlacementReading {
  /// `[north/a, north/b]`, all alike, or `{north/a: 70, north/b: 30}`.
  static func shares(_ reader: inout FieldReader, _ key: String) -> [ClusterShare] {
    switch reader.given(key)?.content {
    case .mapping:
      let entries = reader.named(key)
      return entries.compactMap { name, _, tree in
        let path = "\(reader.child(key)).\(name)"
        guard case .scalar(let text) = tree.content, let weight = try? Quantity.number(text),
          weight >= 0, weight.isFinite
        else {
          reader.context.fail(
            .badQuantity, at: path, else: tree.mark, "the weight of `\(name)` is no number",
            help: "for example `{\(name): 70}`; a cluster that stands by has 0")
          return nil
        }
        return ClusterShare(name, weight: weight)
      }
    case .scalar(let text)?:
      reader.context.recorder?.ask(reader.child(key), .list)
      _ = reader.tree(key)
      return text.isEmpty ? [] : [ClusterShare(text)]
    default:
      reader.context.recorder?.ask(reader.child(key), .names)
      return (reader.words(key) ?? []).map { ClusterShare($0) }
    }
  }

  static func service(_ reader: inout FieldReader, _ service: inout ServiceSection) {
    service.region = ServiceReading.optionalText(&reader, "region")
    service.cluster = ServiceReading.optionalText(&reader, "cluster")
    service.clusters = shares(&reader, "clusters")
  }

  /// The rules of a region, whose clusters may be called by their names alone.
  static func rules(_ reader: inout FieldReader, region: String) -> [AssignmentRule] {
    reader.list("assign").map { tree, path in
      var rule = FieldReader(tree, path: path, mark: tree.mark, context: reader.context)
      defer { rule.finish() }
      var conditions: [AssignmentRule.Key: String] = [:]
      for key in AssignmentRule.Key.allCases {
        conditions[key] = ServiceReading.optionalText(&rule, key.rawValue)
      }
      if !rule.has("to") { rule.missing("to", "for example `to: online`") }
      let clusters = shares(&rule, "to").map { share in
        var share = share
        if !share.name.contains("/") { share.name = "\(region)/\(share.name)" }
        return share
      }
      return AssignmentRule(conditions: conditions, clusters: clusters)
    }
  }
}
