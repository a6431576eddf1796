import Planning
import Primitives
import Reporting
import Scenario

/// What `--matrix` of `rehearse` asks for: `zones×18h,20h`, `clusters×18h..22h`, `regions×hours`.
///
/// A kind of domain, `×`, `x` or `@`, and the times: some, every full hour from one to another, or
/// `hours`, every full hour of what is judged.
struct MatrixArgument {
  enum Times {
    /// Ascending whole seconds.
    case some([Instant])
    case hours(ClosedRange<Instant>?)
  }

  let text: String
  let domain: LossTarget.Domain
  private let times: Times

  private static let hour: Int64 = 3_600_000_000_000

  init(_ text: String) throws(CommandFailure) {
    self.text = text
    guard let mark = text.firstIndex(where: { "×x@".contains($0) }),
      let domain = Self.domain(text[..<mark]),
      let times = Self.times(String(text[text.index(after: mark)...]))
    else { throw Self.bad(text) }
    self.domain = domain
    self.times = times
  }

  /// `zones,clusters`, each once, in the order of sizes.
  static func domains(_ text: String) throws(CommandFailure) -> [LossTarget.Domain] {
    let words = text.split(separator: ",", omittingEmptySubsequences: false)
    let known = words.compactMap(domain)
    guard known.count == words.count else {
      throw CommandFailure(
        .usage, "HR3045", "--domains `\(text)` is no list of what may be lost",
        help: "of zones, clusters and regions, as in `--domains zones,clusters`")
    }
    return LossTarget.Domain.allCases.filter(known.contains)
  }

  private static func domain(_ word: some StringProtocol) -> LossTarget.Domain? {
    LossTarget.Domain.allCases.first { $0.plural == word }
  }

  private static func times(_ text: String) -> Times? {
    if text == "hours" { return .hours(nil) }
    if let dots = text.range(of: "..") {
      guard let first = time(text[..<dots.lowerBound]), let last = time(text[dots.upperBound...]),
        first <= last
      else { return nil }
      return .hours(first...last)
    }
    let words = text.split(separator: ",", omittingEmptySubsequences: false)
    let times = words.compactMap(time)
    guard times.count == words.count else { return nil }
    return .some(Array(Set(times)).sorted())
  }

  private static func time(_ word: some StringProtocol) -> Instant? {
    guard let nanoseconds = ScenarioReader.nanoseconds(String(word)), nanoseconds >= 1_000_000_000
    else { return nil }
    return Instant(nanoseconds: nanoseconds / 1_000_000_000 * 1_000_000_000)
  }

  /// The times within a run: after the warm-up, and an interval of the series before the end or
  /// earlier, so that there is something to judge.
  func times(in document: ScenarioDocument) throws(CommandFailure) -> [Instant] {
    let first = Instant.origin + max(document.warmup, .seconds(1))
    let last = Instant.origin + document.duration - document.seriesInterval
    guard first <= last else {
      throw CommandFailure(
        .usage, "HR3043",
        "--matrix has nothing to judge: the run ends with its warm-up, or within "
          + "an interval of the series of it", help: "lengthen `duration`")
    }
    switch times {
    case .some(let times):
      for time in times { try require(time, from: first, to: last) }
      return times
    case .hours(let range?):
      try require(range.lowerBound, from: first, to: last)
      try require(range.upperBound, from: first, to: last)
      return try hours(range)
    case .hours(nil): return try hours(first...last)
    }
  }

  private func hours(_ range: ClosedRange<Instant>) throws(CommandFailure) -> [Instant] {
    let first = (range.lowerBound.nanoseconds + Self.hour - 1) / Self.hour
    let last = range.upperBound.nanoseconds / Self.hour
    guard first <= last else {
      throw CommandFailure(
        .usage, "HR3043", "--matrix `\(text)`: no full hour lies in it",
        help: "name times, as in `--matrix \(domain.plural)×20m,40m`")
    }
    return (first...last).map { Instant(nanoseconds: $0 * Self.hour) }
  }

  private func require(
    _ time: Instant, from first: Instant, to last: Instant
  ) throws(CommandFailure) {
    guard time < first || time > last else { return }
    func text(_ instant: Instant) -> String { TextForm.time(seconds: (instant - .origin).seconds) }
    throw CommandFailure(
      .usage, "HR3043",
      "--matrix has \(text(time)), and what is judged "
        + (time < first
          ? "begins at \(text(first)), after the warm-up"
          : "must have an interval of the series after it: the run ends too soon"),
      help: "give times from \(text(first)) to \(text(last))")
  }

  private static func bad(_ text: String) -> CommandFailure {
    CommandFailure(
      .usage, "HR3043", "--matrix `\(text)` is no list of losses",
      help: "for example `--matrix zones×18h,20h`, `clusters×18h..22h` or `regions×hours`, "
        + "each at 1s or later")
  }
}
