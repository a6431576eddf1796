/// A workload file that a run has read.
public struct TraceFileRow: StoredRow {
  public var run = 0
  public var path = ""
  public var sha256 = ""
  public var bytes = 0

  public init() {}

  public init(run: Int, path: String, sha256: String, bytes: Int) {
    self.run = run
    self.path = path
    self.sha256 = sha256
    self.bytes = bytes
  }

  public static let table = TableDescription(
    TraceFileRow.self, name: "trace_files",
    identity: .key(["run", "path"]),
    about: "a workload file that a run has read")

  public mutating func visitColumns(_ columns: inout some ColumnVisitor) {
    columns.column("run", &run, "the run", references: "runs")
    columns.column("path", &path, "the file, relative to the data directory")
    columns.column("sha256", &sha256, "SHA-256 of its bytes, in hexadecimal")
    columns.column("bytes", &bytes, "its size")
  }
}
