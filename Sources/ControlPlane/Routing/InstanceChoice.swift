/// Which of the instances with a free slot serves the next request. The rule is a named policy
/// because it alone can change cold starts fourfold (published comparison: SimFaaS,
/// `instance_choice`).
public enum InstanceChoice: String, CaseIterable, Sendable, BitwiseCopyable {
  /// The fewest requests in flight; ties to the lowest slot.
  case leastRequests = "least_requests"
  /// The less loaded of two distinct samples; ties to the first sample.
  case powerOfTwo = "power_of_two"
  /// The instance that was made last.
  case newestCreated = "newest_created"
  /// The instance whose last request began or ended most recently.
  case mostRecentlyUsed = "most_recently_used"
  /// The instance whose last request began or ended longest ago.
  case leastRecentlyUsed = "least_recently_used"
  /// The next slot in cyclic order.
  case roundRobin = "round_robin"
  /// Uniform among those with a free slot.
  case random = "random"

  @usableFromInline var usesTree: Bool { self == .leastRequests || self == .newestCreated }
  @usableFromInline var usesRecency: Bool {
    self == .mostRecentlyUsed || self == .leastRecentlyUsed
  }
  @usableFromInline var usesSet: Bool {
    self == .powerOfTwo || self == .roundRobin || self == .random
  }
}
