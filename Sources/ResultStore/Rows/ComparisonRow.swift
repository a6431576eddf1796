/// Base against candidate, paired by seed.
public struct ComparisonRow: StoredRow {
  public var study = 0
  public var scenario = 0
  public var measure = ""
  public var unit = ""
  public var base: Double?
  public var candidate: Double?
  public var difference: Double?
  public var low: Double?
  public var high: Double?
  public var tolerance: Double = 0
  public var seeds = 0
  public var verdict = ComparisonVerdict.undecided
  public var note = ""

  public init() {}

  public init(study: Int, scenario: Int, measure: String, seeds: Int, verdict: ComparisonVerdict) {
    self.study = study
    self.scenario = scenario
    self.measure = measure
    self.seeds = seeds
    self.verdict = verdict
  }

  public static let table = TableDescription(
    ComparisonRow.self, name: "comparisons",
    identity: .none(indexedBy: ["study"]),
    about: "base against candidate, paired by seed")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("study", &study, "the study", references: "studies")
    columns.column("scenario", &scenario, "the scenario", references: "scenarios")
    columns.column("measure", &measure, "the measure")
    columns.column("unit", &unit, "its unit")
    columns.column("base", &base, "mean of the base")
    columns.column("candidate", &candidate, "mean of the candidate")
    columns.column("difference", &difference, "mean of candidate minus base")
    columns.column("low", &low, "lower end of the 95 % interval of the difference")
    columns.column("high", &high, "upper end of the 95 % interval of the difference")
    columns.column("tolerance", &tolerance, "a difference below it does not matter")
    columns.column("seeds", &seeds, "pairs")
    columns.column("verdict", &verdict, "better, worse, same or undecided")
    columns.column("note", &note, "what a reader should know")
  }
}
