import Scenario

/// What `size` is told to try, as it stands on the command line.
enum SizeArguments {
  /// Between the sizes of a range.
  private static let stepPercent = 0.5

  /// Shares of the peak, increasing: of a range `0.5%..5%` in steps, its upper end included, or of
  /// a list `1%,2%,3%`.
  static func shares(_ text: String) throws(CommandFailure) -> [Double] {
    guard let dots = text.firstRange(of: "..") else {
      var shares: [Double] = []
      for item in text.split(separator: ",", omittingEmptySubsequences: false) {
        shares.append(try percent(item, in: text) / 100)
      }
      return shares.sorted()
    }
    let low = try percent(text[..<dots.lowerBound], in: text)
    let high = try percent(text[dots.upperBound...], in: text)
    guard low <= high else {
      throw bad(text, "the range ends at \(text[dots.upperBound...]), below its beginning")
    }
    let steps = Int(((high - low) / stepPercent - 1e-9).rounded(.up))
    return (0..<max(0, steps)).map { (low + Double($0) * stepPercent) / 100 } + [high / 100]
  }

  private static func percent(
    _ item: Substring, in text: String
  ) throws(CommandFailure) -> Double {
    let digits = item.drop { $0 == " " }
    guard digits.last == "%", let value = Double(digits.dropLast()), value >= 0, value <= 100 else {
      throw bad(text, item.isEmpty ? "a size is missing" : "`\(item)` is no percentage")
    }
    return value
  }

  private static func bad(_ text: String, _ message: String) -> CommandFailure {
    CommandFailure(
      .usage, "HR3011", "--pool `\(text)`: \(message)",
      help: "--pool 0.5%..5%, or --pool 1%,2%,3%")
  }

  /// Nanoseconds of a window `19h..21h`.
  static func window(_ text: String) throws(CommandFailure) -> Range<Int64> {
    guard let dots = text.firstRange(of: "..") else { throw badWindow(text, "it has no `..`") }
    let ends = [text[..<dots.lowerBound], text[dots.upperBound...]]
    let bounds = ends.compactMap { ScenarioReader.nanoseconds(String($0)) }
    guard bounds.count == 2 else { throw badWindow(text, "its ends are no times") }
    guard bounds[0] < bounds[1] else { throw badWindow(text, "it ends before it begins") }
    guard bounds.allSatisfy({ $0 % 1_000_000_000 == 0 }) else {
      throw badWindow(text, "its ends are no whole seconds")
    }
    return bounds[0]..<bounds[1]
  }

  /// The window within a scenario; all of it without its warm-up where none is given.
  static func window(
    _ window: Range<Int64>?, in document: ScenarioDocument, _ text: String
  ) throws(CommandFailure) -> Range<Int64> {
    guard let window else { return document.warmup.count..<document.duration.count }
    guard window.upperBound <= document.duration.count else {
      throw badWindow(text, "the scenario ends before it")
    }
    return window
  }

  private static func badWindow(_ text: String, _ message: String) -> CommandFailure {
    CommandFailure(
      .usage, "HR3012", "--window `\(text)`: \(message)",
      help: "whole seconds within the scenario's duration, for example 19h..21h")
  }
}
