/// The rate of a lane's arrivals as its counts show it: a mean over up to 256 s that begins afresh
/// when the last seconds are too far from it for chance.
struct RateEstimate: Sendable, BitwiseCopyable {
  private static let longest = 256.0
  private static let shortest = 8.0

  /// Arrivals a second.
  private(set) var perSecond = 0.0
  private var recent = 0.0
  private var seconds = 0.0
  private var recentSeconds = 0.0

  /// Learns the count of several whole seconds together.
  mutating func observe(_ count: Double, over length: Int) {
    guard length > 0 else { return }
    let mean = count / Double(length)
    seconds = min(seconds + Double(length), Self.longest)
    recentSeconds = min(recentSeconds + Double(length), max(Self.shortest, Double(length)))
    perSecond += (mean - perSecond) * min(1, Double(length) / seconds)
    recent += (mean - recent) * min(1, Double(length) / recentSeconds)
    let noise = (max(perSecond, 1) / recentSeconds).squareRoot()
    if abs(recent - perSecond) > 4 * noise {
      perSecond = mean
      recent = mean
      seconds = Double(length)
      recentSeconds = Double(length)
    }
  }

  /// Learns the count of a whole second.
  mutating func observe(_ count: Double) {
    seconds = min(seconds + 1, Self.longest)
    recentSeconds = min(recentSeconds + 1, Self.shortest)
    perSecond += (count - perSecond) / seconds
    recent += (count - recent) / recentSeconds
    let noise = (max(perSecond, 1) / recentSeconds).squareRoot()
    if abs(recent - perSecond) > 4 * noise || abs(count - perSecond) > 6 * noise * 2.83 {
      perSecond = count
      recent = count
      seconds = 1
      recentSeconds = 1
    }
  }
}
