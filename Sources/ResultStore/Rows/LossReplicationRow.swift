import Primitives

/// What a loss came to in one replication.
public struct LossReplicationRow: StoredRow {
  public var study = 0
  public var loss = 0
  public var replication = 0
  public var came = 0
  public var unanswered = 0
  public var calmCame = 0
  public var calmUnanswered = 0
  public var secondsToDetect: Double?
  public var secondsToShift: Double?
  public var secondsToFaultOver: Double?
  public var secondsDegraded: Double = 0
  public var secondsToRecover: Double?
  public var peakUtilisation: Double?
  public var expectedUtilisation: Double?
  public var margin: Double?
  public var stoppedBy: String?
  public var stoppedAt: Instant?

  public init() {}

  public init(study: Int, loss: Int, replication: Int) {
    self.study = study
    self.loss = loss
    self.replication = replication
  }

  public static let table = TableDescription(
    LossReplicationRow.self, name: "loss_replications",
    identity: .key(["study", "loss", "replication"]),
    about: "what a loss came to in one replication beside its calm twin, with its phases")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("study", &study, "the study", references: "studies")
    columns.column("loss", &loss, "the number of the loss")
    columns.column("replication", &replication, "the replication, from 0")
    columns.column("came", &came, "requests and messages of the whole run with the loss")
    columns.column("unanswered", &unanswered, "of them, those without an answer")
    columns.column("calm_came", &calmCame, "requests and messages of the calm twin")
    columns.column("calm_unanswered", &calmUnanswered, "of them, those without an answer")
    columns.column(
      "seconds_to_detect", &secondsToDetect, "from the strike until noticed; NULL: never")
    columns.column(
      "seconds_to_shift", &secondsToShift, "from the strike until traffic had moved; NULL: never")
    columns.column(
      "seconds_to_fault_over", &secondsToFaultOver,
      "from the strike until all that failed was there again; NULL: not within the run")
    columns.column("seconds_degraded", &secondsDegraded, "worse than the twin for so long")
    columns.column(
      "seconds_to_recover", &secondsToRecover,
      "from the strike to the end of the last degraded interval; NULL: not within the run")
    columns.column(
      "peak_utilisation", &peakUtilisation,
      "greatest use of processors of who takes over while it is lost; NULL: nobody, or unknown")
    columns.column(
      "expected_utilisation", &expectedUtilisation,
      "the same by the closed form, from the calm twin's use")
    columns.column("margin", &margin, "the least margin of an objective; NULL: none tells anything")
    columns.column("stopped_by", &stoppedBy, "the condition that ended it early; NULL: none")
    columns.column("stopped_at_ns", &stoppedAt, "when")
  }
}
