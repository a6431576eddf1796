/// How far a command has come, as a line for a terminal.
public enum ProgressText {
  /// - Parameters:
  ///   - label: what is being done.
  ///   - done: simulated seconds so far, of all runs together.
  ///   - total: those that it will take, as far as is known; 0: not known.
  ///   - elapsed: seconds on the wall.
  public static func line(
    _ label: String, done: Double, total: Double, elapsed: Double
  ) -> String {
    var parts = [label]
    let rate = elapsed > 0 ? done / elapsed : 0
    if total > 0 { parts.append("\(min(99, Int(done / total * 100))) %") }
    if rate > 0 { parts.append("\(TextForm.number(rate.rounded()))x real time") }
    // Before the second second a rate says little.
    if total > 0, rate > 0, elapsed >= 1 {
      parts.append("\(clock(max(0, total - done) / rate)) left")
    }
    return parts.joined(separator: " · ")
  }

  /// Seconds as `0:42`, `12:03` or `1:02:03`.
  static func clock(_ seconds: Double) -> String {
    let seconds = Int(min(seconds.rounded(.up), 359_999))
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let (minutes, rest) = (seconds / 60, seconds % 60)
    if minutes < 60 { return "\(minutes):\(two(rest))" }
    return "\(minutes / 60):\(two(minutes % 60)):\(two(rest))"
  }
}
