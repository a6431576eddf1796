/// A pool size that was tried.
public struct SizeCandidateRow: StoredRow {
  public var study = 0
  public var percentage: Double = 0
  public var pods = 0
  public var cpuCores: Double = 0
  public var memoryMiB: Double = 0
  public var costPerHour: Double?
  public var seeds = 0
  public var verdict = Verdict.undecided
  public var chosen = false

  public init() {}

  public init(study: Int, percentage: Double, verdict: Verdict) {
    self.study = study
    self.percentage = percentage
    self.verdict = verdict
  }

  public static let table = TableDescription(
    SizeCandidateRow.self, name: "size_candidates",
    identity: .key(["study", "percentage"]),
    about: "a pool size that was tried")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("study", &study, "the study", references: "studies")
    columns.column("percentage", &percentage, "warm-pool percentage")
    columns.column("pods", &pods, "pods of all pools together")
    columns.column("cpu_cores", &cpuCores, "cores that they hold")
    columns.column("memory_mib", &memoryMiB, "memory that they hold")
    columns.column(
      "cost_per_hour", &costPerHour,
      "what they cost in the price table's currency; NULL: no prices")
    columns.column("seeds", &seeds, "replications")
    columns.column("verdict", &verdict, "whether the objectives are met with this size")
    columns.column("chosen", &chosen, "1 for the smallest size that meets them")
  }
}
