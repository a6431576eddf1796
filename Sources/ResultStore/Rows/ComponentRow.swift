import Primitives

/// The messages of a component of the platform.
public struct ComponentRow: StoredRow {
  public var run = 0
  public var component = ""
  public var instance = ""
  public var messagesIn = 0
  public var messagesOut = 0
  public var timeouts = 0
  public var retries = 0
  public var busy = Nanoseconds.zero

  public init() {}

  public init(run: Int, component: String, instance: String) {
    self.run = run
    self.component = component
    self.instance = instance
  }

  public static let table = TableDescription(
    ComponentRow.self, name: "components",
    identity: .key(["run", "component", "instance"]),
    about: "the messages of a component of the platform")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column(
      "component", &component,
      "gateway, dispatcher, worker-manager, etcd, kubernetes, host-agent and so on")
    columns.column("instance", &instance, "which one")
    columns.column("messages_in", &messagesIn, "messages handled")
    columns.column("messages_out", &messagesOut, "messages sent")
    columns.column("timeouts", &timeouts, "requests of its own that got no answer in time")
    columns.column("retries", &retries, "requests of its own sent again")
    columns.column("busy_ns", &busy, "time spent handling messages")
  }
}
