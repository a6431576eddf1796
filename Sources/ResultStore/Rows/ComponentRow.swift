import Primitives

/// The messages of a component of the platform.
public struct ComponentRow: StoredRow {
  public var run = 0
  public var component = ""
  public var instance = ""
  public var messagesIn = 0
  public var messagesOut = 0
  public var retries: Int?
  public var busy: Nanoseconds?

  public init() {}

  public init(run: Int, component: String, instance: String) {
    self.run = run
    self.component = component
    self.instance = instance
  }

  public static let table = TableDescription(
    ComponentRow.self, name: "components",
    identity: .key(["run", "component", "instance"]),
    about: "the messages of a component of the platform, warm-up included")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column(
      "component", &component,
      "gateway, dispatcher, worker-manager, etcd, kubernetes, host-agent and so on")
    columns.column(
      "instance", &instance, "which one; a zone: its gateways together; all: those of the cluster")
    columns.column(
      "messages_in", &messagesIn, "messages handled; of gateways, requests among them")
    columns.column("messages_out", &messagesOut, "messages sent")
    columns.column(
      "retries", &retries,
      "questions asked again because no answer came in time; NULL: not counted")
    columns.column(
      "busy_ns", &busy,
      "time spent handling them; NULL: that takes this component no time in the model")
  }
}
