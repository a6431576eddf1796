import Primitives

/// How partitions whose windows are full share what comes among deliveries of up to B messages: the
/// state of one partition whose messages come at rate a and whose W places are given back at rate
/// f, as far as it follows from q = a / f, the mean number of messages of a delivery.
///
/// A message that finds a free place is a delivery of its own; with none free it waits in the log.
/// A place that is given back takes what the log has, at most B messages, or stays free. Were both
/// Poisson processes, the log would have l messages with π₀ r^l and k places were free with π₀
/// q^−k, where r + … + r^B = q. But places come back in the order in which their deliveries went
/// out: places that went out one by one as messages came return one by one, and take single
/// messages again, until a gap behind them, in which the log has grown, is followed by full
/// deliveries. With j = W (q − 1) / (B − 1) of these in a round, from one on, the log has about B j
/// (q − 1) / (2 q) messages, B − 1 of which came in the gap for each of them. The factors beside
/// that, of the log and of free places, are measured on single partitions with B from 4 to 64
/// (MODEL.md).
struct SharedWindow: Sendable {
  /// q.
  let size: Double
  /// Messages in the log, and free places.
  let log: Double
  let free: Double

  /// - Parameters:
  ///   - most: B, above 1.
  ///   - width: W.
  ///   - ratio: r / (1 − r).
  init(most: Int, width: Int, ratio: Double) {
    let (b, w) = (Double(most), Double(width))
    let r = ratio / (1 + ratio)
    let last = Elementary.pow(r, b)
    // Deliveries are full where logs are far beyond them.
    let q = b < 1e-4 * ratio ? b * (1 - b / (2 * ratio)) : ratio * (1 - last)
    size = q
    let over = max(q - 1, 1e-12)
    let empty = 1 / (1 + ratio + 1 / over)
    let chainLog = empty * ratio * (1 + ratio)
    let full = w * over / (b - 1)
    let weight = min(1, full * full)
    let gapLog = b * full * over / (2 * q) / (1 + 1.2 * over / (b - 1))
    log = chainLog + weight * max(0, gapLog - chainLog)
    let alone = max(0, w - full)
    let spread = (0.65 + 0.55 * min(1, full / 2.5)) * alone.squareRoot() * alone / (q * w)
    free = max(0.6 * empty * q / (over * over), spread)
  }

  /// What a step of a lane has added to its partitions: messages, and free places.
  struct Step {
    var came = 0.0
    var freed = 0.0
  }

  /// Deliveries that go out of partitions which have so many messages in their logs and so many
  /// free places between them at the end of a step, and the messages that these carry. What is
  /// left is what the law has in logs and free at the same time, less half of what the step has
  /// added, so that the mean over steps is right. Precondition: B is above 1.
  static func share(
    log: Double, free: Double, after step: Step, partitions: Double, most: Int, width: Int
  ) -> (deliveries: Double, messages: Double) {
    guard log > 0, free > 0 else { return (0, 0) }
    // Below, q is under 1; above, the log alone is more than there is.
    var (low, high) = (-1.0, Elementary.log(2 * (log / partitions + 2)))
    for _ in 0..<40 {
      let middle = (low + high) / 2
      let law = SharedWindow(most: most, width: width, ratio: Elementary.exp(middle))
      let left =
        log - max(0, partitions * law.log - step.came / 2)
        - law.size * (free - max(0, partitions * law.free - step.freed / 2))
      if law.size <= 1 || left > 0 { low = middle } else { high = middle }
    }
    let law = SharedWindow(most: most, width: width, ratio: Elementary.exp(high))
    let deliveries = max(0, free - max(0, partitions * law.free - step.freed / 2))
    let messages = min(log, deliveries * law.size)
    return (deliveries, messages)
  }
}
