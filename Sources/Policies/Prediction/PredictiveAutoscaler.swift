import Primitives

/// Scales ahead of the load: it forecasts the concurrency of the next slots and wants pods for the
/// greatest. It knows nothing of surges; put it beside a policy that follows (`MaximumPolicy`).
/// Until the first slot has ended it knows nothing at all, and keeps what there is.
/// Our own rule (assumed); the forecasts are checked against published ones.
public struct PredictiveAutoscaler: SampledPolicy {
  public enum Method: Sendable, Equatable {
    case holt(alpha: Double, beta: Double, damping: Double)
    /// A season of so many slots. Until two seasons are known it is Holt's.
    case holtWinters(alpha: Double, beta: Double, gamma: Double, season: Int)
    /// The greatest of the same slots of past days; the latest slot on the first day.
    case pastDays(Int)
  }

  public struct Settings: Sendable, Equatable {
    public var method: Method
    public var slot = Nanoseconds.seconds(60)
    /// Slots ahead that are provided for: at least the time that a start takes.
    public var horizon = 2
    /// Concurrency that a pod is there for, thousandths.
    public var milliPerPod: Int64
    /// Concurrency that a pod can have, thousandths; what is above that waits, and is no load by
    /// itself. Nil: without bound.
    public var mostMilliPerPod: Int64?
    /// What a sample is the mean of; whole seconds.
    public var samplePeriod = Nanoseconds.seconds(1)
    /// How late a sample is there: a slot is known when all of it has been told.
    public var sampleDelay = Nanoseconds.zero
    /// Added to a forecast.
    public var marginPercent = 10.0
    public var minPods = 0
    public var maxPods: Int

    public init(method: Method, milliPerPod: Int64, maxPods: Int) {
      self.method = method
      self.milliPerPod = milliPerPod
      self.maxPods = maxPods
    }
  }

  public let settings: Settings
  private let lateness: Nanoseconds
  private var trend: HoltSmoothing?
  private var seasonal: HoltWinters?
  /// The first two seasons, until they have been seen.
  private var opening: [Double] = []
  private var profile: DayProfile?
  /// The slot that is being filled, and what was told in it: thousandths by seconds.
  private var slot: Int64?
  private var milliSeconds: Int64 = 0
  private var wanted: Int
  private var isMeasured = false

  /// - Parameter pods: those that are there at first.
  ///
  /// Precondition: a slot is a whole number of seconds, a pod is there for something, and a day has
  /// a whole number of slots where past days are asked for.
  public init(_ settings: Settings, pods: Int = 0) {
    precondition(
      settings.slot.count > 0 && settings.slot.count % 1_000_000_000 == 0
        && settings.milliPerPod > 0, "slots are seconds and pods serve requests")
    self.settings = settings
    lateness = settings.sampleDelay + settings.samplePeriod - .seconds(1)
    wanted = min(max(pods, settings.minPods), settings.maxPods)
    if case .pastDays(let days) = settings.method {
      let day = Nanoseconds.seconds(86_400).count
      precondition(day % settings.slot.count == 0, "a day has a whole number of slots")
      profile = DayProfile(slotsPerDay: Int(day / settings.slot.count), days: days)
    }
  }

  /// A sample's concurrency is the mean of the period that ended.
  @discardableResult
  public mutating func observe(_ sample: ScalingSample, at instant: Instant) -> Bool {
    guard let milli = sample.concurrencyMilli else { return false }
    close(before: index(instant - Nanoseconds(1)))
    milliSeconds += load(milli, pods: sample.ready) * (settings.samplePeriod.count / 1_000_000_000)
    return false
  }

  /// What is asked of the pods: what they serve, and of what waits no more than as much again. A
  /// queue grows for as long as pods are missing, so that its length says how long they were, not
  /// how many; within a few slots the pods are enough, and the load is what they serve.
  private func load(_ milli: Int64, pods: Int?) -> Int64 {
    guard let most = settings.mostMilliPerPod, let pods else { return milli }
    return min(milli, 2 * most * Int64(max(1, pods)))
  }

  public mutating func desiredPods(ready: Int, at now: Instant) -> Int {
    // There is no slot before the run.
    close(before: index(max(.origin, now - lateness)))
    // Pods that come meanwhile are there for something.
    if !isMeasured { wanted = min(max(wanted, ready), settings.maxPods) }
    return wanted
  }

  public func unchangedUntil(at now: Instant) -> Instant {
    guard let slot else { return now }
    return Instant(nanoseconds: (slot + 1) * settings.slot.count) + lateness
  }

  public borrowing func clone() -> Self { copy self }

  // MARK: Slots

  private func index(_ instant: Instant) -> Int64 {
    let length = settings.slot.count
    let whole = instant.nanoseconds / length
    return instant.nanoseconds % length < 0 ? whole - 1 : whole
  }

  private mutating func close(before next: Int64) {
    guard let begun = slot else {
      slot = next
      return
    }
    guard next > begun else { return }
    for _ in begun..<next {
      let seconds = settings.slot.count / 1_000_000_000
      learn(Double(milliSeconds) / Double(seconds))
      milliSeconds = 0
    }
    slot = next
    isMeasured = true
    provide()
  }

  /// The mean of a slot that ended, thousandths.
  private mutating func learn(_ value: Double) {
    switch settings.method {
    case .holt(let alpha, let beta, let damping):
      follow(value, alpha, beta, damping)
    case .holtWinters(let alpha, let beta, let gamma, let season):
      if seasonal != nil {
        seasonal?.observe(value)
        return
      }
      follow(value, alpha, beta, 1)
      opening.append(value)
      guard opening.count == 2 * season else { return }
      var model = HoltWinters(
        alpha: alpha, beta: beta, gamma: gamma, season: season, startingFrom: opening)
      for seen in opening { model?.observe(seen) }
      seasonal = model
      opening = []
    case .pastDays:
      profile?.record(value)
      follow(value, 1, 0, 1)
    }
  }

  private mutating func follow(
    _ value: Double, _ alpha: Double, _ beta: Double, _ damping: Double
  ) {
    guard trend == nil else {
      trend?.observe(value)
      return
    }
    trend = HoltSmoothing(alpha: alpha, beta: beta, damping: damping, level: value)
  }

  private mutating func provide() {
    var greatest = 0.0
    for step in 1...max(1, settings.horizon) { greatest = max(greatest, forecast(step)) }
    let load = greatest * (1 + settings.marginPercent / 100)
    let pods = ReplicaCalculator.roundedUp(load / Double(settings.milliPerPod))
    wanted = min(max(pods, settings.minPods), settings.maxPods)
  }

  private func forecast(_ steps: Int) -> Double {
    if let seasonal { return seasonal.forecast(steps) }
    if let known = profile?.greatest(steps) { return known }
    return trend?.forecast(steps) ?? 0
  }
}
