/// The share of requests that find a system full which takes in so many at most, in equilibrium.
///
/// The birth and death process with rates λ and min(n, slots) / mean: Erlang's B where there are as
/// many slots as the system takes in, which holds for any service time; with fewer slots M/M/c/K,
/// which is exact for exponential service.
struct FullSystemLaw: Sendable {
  let load: Double
  let slots: Int
  let most: Int
  let share: Double

  /// O(most).
  ///
  /// - Parameter load: arrivals within a mean service time.
  init(load: Double, slots: Int, most: Int) {
    (self.load, self.slots, self.most) = (load, slots, most)
    var share = 1.0
    if most > 0 {
      for count in 1...most {
        let ratio = load / Double(max(1, min(count, slots))) * share
        share = ratio / (1 + ratio)
      }
    }
    self.share = share
  }

  /// Whether the law of another load is as good.
  func holds(load: Double, slots: Int, most: Int) -> Bool {
    slots == self.slots && most == self.most && abs(load - self.load) <= self.load / 256
  }
}
