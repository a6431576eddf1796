import Reporting
import Simulation

/// What capacity cost, and where machines and virtual nodes cost the same.
struct CostReport {
  private let outcome: RunOutcome?

  init(_ counted: [RunOutcome]) { outcome = counted.first }

  /// Nothing where nothing has a price.
  var text: String {
    guard let outcome else { return "" }
    let cost = outcome.capacityCost
    let isElastic =
      !outcome.configuration.nodePools.isEmpty
      || outcome.configuration.virtualNodes != nil
    guard isElastic || cost.lines.contains(where: { $0.item.cost > 0 }) else { return "" }
    return [costs(outcome, cost), breakEvens(outcome, cost)].filter { !$0.isEmpty }
      .joined(separator: "\n\n")
  }

  private func costs(_ outcome: RunOutcome, _ cost: CapacityCost) -> String {
    var rows = [["", "zone", "a hour", "in all", "hours", "core hours", "most", "refused"]]
    for line in cost.lines {
      rows.append([
        "  \(line.kind == .machines ? "machines " : "")\(line.name)"
          + (line.kind == .warmPods ? " (of the machines)" : ""),
        line.zone.map { outcome.configuration.zones[$0].name } ?? "all",
        TextForm.number(cost.hours > 0 ? line.item.cost / cost.hours : 0),
        TextForm.number(line.item.cost), TextForm.number(line.item.unitHours),
        TextForm.number(line.item.coreHours),
        line.kind == .warmPods ? "-" : TextForm.grouped(line.item.most),
        line.machinesRefused.map(TextForm.grouped) ?? "-",
      ])
    }
    return "COST of capacity, replication \(outcome.replication + 1), without the warm-up\n"
      + TextForm.table(rows)
  }

  private func breakEvens(_ outcome: RunOutcome, _ cost: CapacityCost) -> String {
    guard !cost.breakEvens.isEmpty else {
      guard let reason = cost.whyNoBreakEven(outcome.configuration) else { return "" }
      return "BREAK-EVEN of machines and virtual nodes: none, \(reason)"
    }
    var rows = [
      ["", "shape", "pods a node", "on a full node", "virtual", "equal at pods", "at use"]
    ]
    for item in cost.breakEvens {
      rows.append([
        "  \(item.machines)", item.shape, TextForm.grouped(item.podsPerNode),
        TextForm.number(item.nodePerHour / Double(item.podsPerNode)),
        TextForm.number(item.virtualPodPerHour), TextForm.number(item.pods),
        TextForm.percent(item.use),
      ])
    }
    return "BREAK-EVEN of machines and virtual nodes, a pod and hour; "
      + "a machine used more is cheaper\n" + TextForm.table(rows)
  }
}
