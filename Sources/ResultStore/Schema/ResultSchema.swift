import GRDB

/// The schema of results files.
public enum ResultSchema {
  /// Rises by one with every change of tables or views; stored in `PRAGMA user_version`. A results
  /// file is the record of one command and is not migrated: those of other versions are refused,
  /// since what they lack cannot be made up.
  public static let version = 10

  /// Tells results files from other SQLite files: "HDRM" in `PRAGMA application_id`.
  public static let applicationID: Int32 = 0x4844_524D

  /// Every table, in an order in which references point backward.
  public static let tables: [TableDescription] = [
    ScenarioRow.table, AssumptionRow.table, StudyRow.table, RunRow.table, TraceFileRow.table,
    RegionRow.table, ZoneRow.table, TenantRow.table, ServiceRow.table, ServiceGroupRow.table,
    SeriesRow.table,
    ServiceMinuteRow.table, TopicRow.table, PartitionRow.table, HistogramRow.table,
    ColdStartRow.table, StartRow.table, PoolRow.table, PoolSeriesRow.table, AlarmRow.table,
    CacheRow.table, LeaseRow.table, ZoneSeriesRow.table, ComponentRow.table, EventRow.table,
    ObjectiveRow.table, CapacityRow.table, BreakEvenRow.table,
    ConservationRow.table, MeasureRow.table, SizeCandidateRow.table, SizePoolRow.table,
    SizeResultRow.table, LossRow.table, LossReplicationRow.table, LossStretchRow.table,
    ComparisonRow.table,
  ]

  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("\(version)") { database in
      for statement in tables.flatMap(\.createSQL) + views.map(\.createSQL) {
        try database.execute(sql: statement)
      }
      try database.execute(
        sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
    }
    return migrator
  }
}
