/// What one kind of capacity was used and cost.
public struct CapacityRow: StoredRow {
  public var run = 0
  public var kind = ""
  public var name = ""
  public var zone = ""
  public var units = 0
  public var mostUnits = 0
  public var unitHours = 0.0
  public var coreHours = 0.0
  public var cost = 0.0
  public var costPerHour: Double?
  public var machinesOrdered: Int?
  public var machinesRefused: Int?

  public init() {}

  public init(run: Int, kind: String, name: String, zone: String) {
    self.run = run
    self.kind = kind
    self.name = name
    self.zone = zone
  }

  public static let table = TableDescription(
    CapacityRow.self, name: "capacity",
    identity: .key(["run", "kind", "name", "zone"]),
    about: "capacity by kind and what it cost, after the warm-up")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column(
      "kind", &kind,
      "machines, virtual_nodes, or warm_pods, which are a part of the machines and of their cost")
    columns.column("name", &name, "the node pool; fixed for the machines of the zone itself")
    columns.column("zone", &zone, "the zone; empty for all")
    columns.column("units", &units, "machines or pods at the end")
    columns.column("most_units", &mostUnits, "the most there were at a time")
    columns.column("unit_hours", &unitHours, "hours of machines or pods")
    columns.column("core_hours", &coreHours, "hours of their cores")
    columns.column("cost", &cost, "by the prices of the scenario")
    columns.column("cost_per_hour", &costPerHour, "mean")
    columns.column("machines_ordered", &machinesOrdered, "that the Cluster Autoscaler ordered")
    columns.column("machines_refused", &machinesRefused, "of these, what the supply did not have")
  }
}
