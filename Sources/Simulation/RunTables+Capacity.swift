import Platform
import Primitives
import ResultStore

// Capacity and its cost as rows.
extension RunTables {
  func capacity() -> [CapacityRow] {
    let cost = outcome.capacityCost
    return cost.lines.map { line in
      var row = CapacityRow(
        run: run, kind: line.kind.rawValue, name: line.name,
        zone: line.zone.map { configuration.zones[$0].name } ?? "")
      row.units = line.item.units
      row.mostUnits = line.item.most
      row.unitHours = line.item.unitHours
      row.coreHours = line.item.coreHours
      row.cost = line.item.cost
      row.costPerHour = cost.hours > 0 ? line.item.cost / cost.hours : nil
      row.machinesOrdered = line.machinesOrdered
      row.machinesRefused = line.machinesRefused
      return row
    }
  }

  func breakEvens() -> [BreakEvenRow] {
    outcome.capacityCost.breakEvens.map { item in
      var row = BreakEvenRow(run: run, machines: item.machines, shape: item.shape)
      row.podsPerNode = item.podsPerNode
      row.machinePodPerHour = item.nodePerHour / Double(item.podsPerNode)
      row.virtualPodPerHour = item.virtualPodPerHour
      row.breakEvenPods = item.pods
      row.breakEvenUse = item.use
      return row
    }
  }
}
