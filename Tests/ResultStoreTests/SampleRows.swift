import Primitives

@testable import ResultStore

/// Fills every column of a row with a value of its own, so that two columns that are mixed up show.
struct FillingVisitor: ColumnVisitor {
  private var next: Int
  /// Whether columns that may be empty are.
  private let leavesGaps: Bool

  init(seed: Int, leavesGaps: Bool) {
    next = seed * 1000
    self.leavesGaps = leavesGaps
  }

  mutating func column<Value: ColumnValue>(
    _ name: StaticString, _ value: inout Value, _ about: StaticString,
    references table: StaticString?
  ) {
    next += 1
    if leavesGaps && Value.isOptional { return }
    // The end of a file changes what still runs.
    let words = Value.allowedValues.filter { $0 != RunStatus.running.rawValue }
    if !words.isEmpty {
      assign(words[next % words.count], to: &value)
    } else {
      switch Value.storageType {
      case .integer: assign(next, to: &value)
      case .real: assign(Double(next) + 0.1, to: &value)
      case .text: assign("text \(next) 'ü\"", to: &value)
      case .blob: assign([UInt8(truncatingIfNeeded: next), 0, 255], to: &value)
      }
    }
  }

  private func assign<Value: ColumnValue>(_ raw: Any, to value: inout Value) {
    if let whole = raw as? Int {
      if let instant = Instant(nanoseconds: Int64(whole)) as? Value {
        value = instant
        return
      }
      if let length = Nanoseconds(Int64(whole)) as? Value {
        value = length
        return
      }
      if let flag = (whole % 2 == 0) as? Value {
        value = flag
        return
      }
    }
    if let word = raw as? String, let kind = wordKinds.lazy.compactMap({ $0(word) as? Value }).first
    {
      value = kind
      return
    }
    if let plain = raw as? Value { value = plain }
  }

  private var wordKinds: [(String) -> Any?] {
    [
      RunStatus.init(rawValue:), Verdict.init(rawValue:), Origin.init(rawValue:),
      Severity.init(rawValue:), ColdStartPath.init(rawValue:), ComparisonVerdict.init(rawValue:),
    ]
  }
}

func sample<Row: StoredRow>(_ type: Row.Type, seed: Int, leavesGaps: Bool = false) -> Row {
  var row = Row()
  var visitor = FillingVisitor(seed: seed, leavesGaps: leavesGaps)
  row.visitColumns(&visitor)
  return row
}

/// Every type of row, for tests that go through all tables.
let rowTypes: [any StoredRow.Type] = [
  ScenarioRow.self, AssumptionRow.self, StudyRow.self, RunRow.self, TraceFileRow.self,
  RegionRow.self, ZoneRow.self, TenantRow.self, ServiceRow.self, ServiceGroupRow.self,
  SeriesRow.self,
  ServiceMinuteRow.self, TopicRow.self, PartitionRow.self, HistogramRow.self,
  ColdStartRow.self, StartRow.self, PoolRow.self, PoolSeriesRow.self,
  AlarmRow.self, CacheRow.self,
  LeaseRow.self,
  ZoneSeriesRow.self, ComponentRow.self, EventRow.self, ObjectiveRow.self, CapacityRow.self,
  BreakEvenRow.self, ConservationRow.self, MeasureRow.self, SizeCandidateRow.self, SizePoolRow.self,
  SizeResultRow.self, LossRow.self, LossReplicationRow.self, LossStretchRow.self,
  ComparisonRow.self,
]
