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

  /// The times within a run.
  func times(in document: ScenarioDocument) throws(CommandFailure) -> [Instant] {
    let end = Instant.origin + document.duration
    switch times {
    case .some(let times):
      try require(times.last, before: end)
      return times
    case .hours(let range?):
      try require(range.upperBound, before: end)
      return try hours(range)
    case .hours(nil):
      // A loss at the very end of the warm-up, or of the run, would be judged by nothing.
      let first = Instant.origin + max(document.warmup, .seconds(1))
      guard first < end else { throw Self.bad(text) }
      return try hours(first...Instant(nanoseconds: end.nanoseconds - 1))
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

  private func require(_ time: Instant?, before end: Instant) throws(CommandFailure) {
    guard let time, time >= end else { return }
    throw CommandFailure(
      .usage, "HR3043",
      "--matrix has \(TextForm.time(seconds: (time - .origin).seconds)), and the run ends at "
        + TextForm.time(seconds: (end - .origin).seconds), help: "give times within the run")
  }

  private static func bad(_ text: String) -> CommandFailure {
    CommandFailure(
      .usage, "HR3043", "--matrix `\(text)` is no list of losses",
      help: "for example `--matrix zones×18h,20h`, `clusters×18h..22h` or `regions×hours`, "
        + "each at 1s or later")
  }
}
