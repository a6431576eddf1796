/// A workload file that a run has read.
public struct TraceFileRow: StoredRow {
  public var run = 0
  public var path = ""
  public var hash = ""
  public var bytes = 0

  public init() {}

  public init(run: Int, path: String, hash: String, bytes: Int) {
    self.run = run
    self.path = path
    self.hash = hash
    self.bytes = bytes
  }

  public static let table = TableDescription(
    TraceFileRow.self, name: "trace_files",
    identity: .key(["run", "path"]),
    about: "a workload file that a run has read")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("path", &path, "the file, relative to the directory of data")
    columns.column(
      "hash", &hash,
      "of its bytes: XXH3-64 over the XXH3-64 hashes of its blocks of 1 MiB, in hexadecimal")
    columns.column("bytes", &bytes, "its size")
  }
}
