/// A partition at the end of a run.
public struct PartitionRow: StoredRow {
  public var run = 0
  public var service = 0
  public var zone = ""
  public var partition = 0
  public var consumer = 0
  public var leader: String?
  public var produced = 0
  public var lag = 0
  public var peakLag = 0

  public init() {}

  public init(run: Int, service: Int, zone: String, partition: Int) {
    self.run = run
    self.service = service
    self.zone = zone
    self.partition = partition
  }

  public static let table = TableDescription(
    PartitionRow.self, name: "partitions",
    identity: .key(["run", "service", "zone", "partition"]),
    about: """
      the partitions of the busiest topics at the end of the run, warm-up included; those of \
      lanes at flow fidelity are not told apart and have no rows
      """)

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("service", &service, "the service that consumes it")
    columns.column("zone", &zone, "the zone that it is in")
    columns.column("partition", &partition, "its number in the zone, from 0")
    columns.column(
      "consumer", &consumer, "who holds it, among the consumers that share the zone's partitions")
    columns.column("leader", &leader, "the broker that leads it; nothing: one of another zone")
    columns.column("produced", &produced, "messages that came into it")
    columns.column("lag", &lag, "messages not committed")
    columns.column("peak_lag", &peakLag, "the most of them at any time")
  }
}
