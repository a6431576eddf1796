import Primitives

/// How often timers fire, by share of the services that have one, and at which phase.
///
/// Shares are counts of applications of Azure Functions 2019 whose invocations in a day are those
/// of a period; that seven in ten fire on the exact minute is assumed.
public enum TimerPeriods {
  /// Seconds, and the share of services.
  static let table: [(seconds: Int, share: Double)] = [
    (30, 0.016), (60, 0.11), (120, 0.02), (180, 0.13), (300, 0.26), (600, 0.034), (900, 0.05),
    (1200, 0.01), (1800, 0.04), (3600, 0.09), (7200, 0.04), (86_400, 0.20),
  ]
  static let onTheMinute = 0.7
  /// A firing on the minute is late by up to this.
  static let jitter = Nanoseconds.seconds(2)

  /// Seconds between two firings of a member of a group.
  static func period(_ deal: MemberDeal, _ member: Int) -> Int {
    table[deal.choice(.activity, of: member, shares: table.map(\.share))].seconds
  }

  /// What a member fires until `end` seconds.
  static func rule(_ deal: MemberDeal, _ member: Int, end: Int) -> TimerSource.Rule {
    let period = period(deal, member)
    let phase = deal.uniform(.phase, of: member)
    let isOnTheMinute = phase < onTheMinute
    // The rest of the draw says where: a whole minute of the period, or any instant of it.
    let place = isOnTheMinute ? phase / onTheMinute : (phase - onTheMinute) / (1 - onTheMinute)
    let minutes = max(1, period / 60)
    let first =
      isOnTheMinute
      ? Int64(place * Double(minutes)) * 60_000_000_000
      : Int64(place * Double(period) * 1e9)
    let step = Int64(period) * 1_000_000_000
    var rule = TimerSource.Rule(
      firings: Array(stride(from: first, to: Int64(end) * 1_000_000_000, by: Int(step))),
      requests: 1)
    if isOnTheMinute { rule.jitter = jitter }
    return rule
  }
}
