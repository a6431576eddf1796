/// The verdict on an objective, for one run or over all runs of an arm.
public struct ObjectiveRow: StoredRow {
  public var study = 0
  public var run: Int?
  public var arm = ""
  public var ordinal = 0
  public var text = ""
  public var value: Double?
  public var low: Double?
  public var high: Double?
  public var limitValue: Double = 0
  public var unit = ""
  public var verdict = Verdict.undecided
  public var note = ""

  public init() {}

  public init(
    study: Int, ordinal: Int, text: String, limitValue: Double, unit: String, verdict: Verdict
  ) {
    self.study = study
    self.ordinal = ordinal
    self.text = text
    self.limitValue = limitValue
    self.unit = unit
    self.verdict = verdict
  }

  public static let table = TableDescription(
    ObjectiveRow.self, name: "objectives",
    identity: .none(indexedBy: ["study"]),
    about: "the verdict on an objective, for one run or over all runs of an arm")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("study", &study, "the study", references: "studies")
    columns.column("run", &run, "the run; NULL: judged over the replications", references: "runs")
    columns.column("arm", &arm, "which arm of the study; empty where there is one")
    columns.column("ordinal", &ordinal, "position in the scenario, from 0")
    columns.column("text", &text, "the objective as written")
    columns.column(
      "value", &value,
      "the measured value; with a duration the worst that lasted so long; NULL: none")
    columns.column("low", &low, "lower end of the 95 % interval")
    columns.column("high", &high, "upper end of the 95 % interval")
    columns.column("limit_value", &limitValue, "the limit")
    columns.column("unit", &unit, "unit of value, interval and limit; empty for counts and ratios")
    columns.column("verdict", &verdict, "met, missed or undecided")
    columns.column("note", &note, "what a reader should know, as when and where it was broken")
  }
}
