import Primitives

/// Orders that wait for their turn at Kubernetes' API: a token bucket as the generic cell rate
/// algorithm, some at once and from then on so many a second, the oldest first.
///
/// Every call is O(1) amortised.
struct AdmissionLine: Sendable {
  private let spacing: Nanoseconds
  private let tolerance: Nanoseconds
  private var nextFree = Instant.origin
  private var orders: [UInt64] = []
  private var head = 0

  init(_ configuration: KubernetesConfiguration) {
    if let rate = configuration.podsPerSecond {
      spacing = Nanoseconds(seconds: 1 / rate)
      tolerance = spacing * Int64(max(0, configuration.burst - 1))
    } else {
      spacing = .zero
      tolerance = .zero
    }
  }

  /// The order whose turn is next.
  var first: UInt64? { head < orders.count ? orders[head] : nil }

  /// When the next creation may begin: now or later.
  func turn(at now: Instant) -> Instant {
    spacing.count > 0 ? max(now, nextFree - tolerance) : now
  }

  /// A creation begins.
  ///
  /// - Parameter slowdown: how many times as long everything takes.
  mutating func admit(at now: Instant, slowdown: Double) {
    guard spacing.count > 0 else { return }
    nextFree = max(nextFree, now) + spacing.stretched(by: slowdown)
  }

  mutating func append(_ order: UInt64) { orders.append(order) }

  /// Precondition: an order waits.
  mutating func removeFirst() {
    head += 1
    if head > 64, head * 2 > orders.count {
      orders.removeFirst(head)
      head = 0
    }
  }
}
