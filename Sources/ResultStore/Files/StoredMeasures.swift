import GRDB

/// The named totals of a results file, by replication.
public enum StoredMeasures {
  /// Values of a measure in the order of the replications.
  /// - Throws: `StoreError`.
  public static func values(of name: String, path: String) throws(StoreError) -> [Double] {
    let database = try ResultDatabase.open(path)
    do {
      return try database.read { database in
        try Double.fetchAll(
          database,
          sql: """
            SELECT measures.value FROM measures JOIN runs ON runs.id = measures.run
            WHERE measures.name = ? ORDER BY runs.replication
            """,
          arguments: [name])
      }
    } catch {
      throw .from(error, path: path)
    }
  }
}
