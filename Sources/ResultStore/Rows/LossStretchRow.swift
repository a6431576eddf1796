import Primitives

/// A stretch of time in which a loss left a replication worse than its calm twin.
public struct LossStretchRow: StoredRow {
  public var study = 0
  public var loss = 0
  public var replication = 0
  public var from = Instant.origin
  public var until = Instant.origin

  public init() {}

  public init(study: Int, loss: Int, replication: Int, _ stretch: Range<Instant>) {
    self.study = study
    self.loss = loss
    self.replication = replication
    (from, until) = (stretch.lowerBound, stretch.upperBound)
  }

  public static let table = TableDescription(
    LossStretchRow.self, name: "loss_stretches",
    identity: .none(indexedBy: ["study", "loss"]),
    about: "a time in which a loss left a replication worse than its calm twin")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("study", &study, "the study", references: "studies")
    columns.column("loss", &loss, "the number of the loss")
    columns.column("replication", &replication, "the replication, from 0")
    columns.column("from_ns", &from, "where it begins")
    columns.column("until_ns", &until, "where it ends")
  }
}
