/// From which use on a machine is cheaper than virtual nodes for pods of a shape.
public struct BreakEvenRow: StoredRow {
  public var run = 0
  public var machines = ""
  public var shape = ""
  public var podsPerNode = 0
  public var machinePodPerHour = 0.0
  public var virtualPodPerHour = 0.0
  public var breakEvenPods = 0.0
  public var breakEvenUse = 0.0

  public init() {}

  public init(run: Int, machines: String, shape: String) {
    self.run = run
    self.machines = machines
    self.shape = shape
  }

  public static let table = TableDescription(
    BreakEvenRow.self, name: "break_evens",
    identity: .key(["run", "machines", "shape"]),
    about: "from which use on a machine is cheaper than virtual nodes")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("machines", &machines, "the node pool, or the zone of fixed machines")
    columns.column("shape", &shape, "of the pods")
    columns.column("pods_per_node", &podsPerNode, "pods of the shape that fit one machine")
    columns.column(
      "machine_pod_per_hour", &machinePodPerHour, "price of a pod on a machine full of them")
    columns.column("virtual_pod_per_hour", &virtualPodPerHour, "price of a pod on a virtual node")
    columns.column(
      "break_even_pods", &breakEvenPods,
      "pods, mean over the machine's hours, from which on the machine is cheaper")
    columns.column(
      "break_even_use", &breakEvenUse,
      "the same as a share of pods_per_node; above 1 a machine never is")
  }
}
