import ControlPlane
import Primitives

/// Which instances serve a given number of requests, and for how long the others have been idle:
/// what a flow lane must invent when it is handed over to request fidelity.
///
/// Drawn by running the real choice of instances on a small copy of the lane, with exponential
/// service of the lane's mean, until an inspection finds the wanted number in service: the
/// stationary law given that number.
struct Occupancy: ~Copyable {
  /// For how long the copy is run, in mean services, and how often it is inspected at most.
  struct Effort {
    var warmMeans: Double
    var inspections: Int
    /// Mean services from one inspection to the next, on average.
    var gapMeans: Double

    /// Of a lane that goes on as requests: all that it had is drawn, and only once.
    static let handOver = Effort(warmMeans: 50, inspections: 400, gapMeans: 1)
    /// Of a lane at which somebody looks, which may be every minute. What the copy was started with
    /// is forgotten but for e^-8.
    static let look = Effort(warmMeans: 8, inspections: 40, gapMeans: 0.5)
  }

  struct Place: BitwiseCopyable {
    var inFlight = 0
    /// Nil: idle for the whole time that was run, or longer.
    var idleSeconds: Double?
  }

  /// What is run at most, arrivals and completions.
  private static let mostEvents = 400_000.0

  private var table: InstanceTable
  private var busy: [InstanceSlot] = []
  private var waiting = 0
  private var seconds = 0.0

  private init(instances: Int, rules: RouterRules) {
    table = InstanceTable(choice: rules.choice, concurrencyLimit: rules.concurrencyLimit)
    for position in 0..<instances { _ = table.add(PodID(position), at: .origin) }
  }

  /// - Parameters:
  ///   - inService: at most instances × concurrency limit.
  ///   - rate: arrivals a second; `mean`: service time, seconds.
  static func draw(
    instances: Int, rules: RouterRules, inService: Int, rate: Double, mean: Double,
    effort: Effort = .handOver, using bits: inout some BitSource
  ) -> (places: [Place], window: Double) {
    var copy = Occupancy(instances: instances, rules: rules)
    if rate > 0, mean > 0, instances > 0, inService < instances * rules.concurrencyLimit {
      copy.run(to: inService, rules: rules, rate: rate, mean: mean, effort, &bits)
    }
    copy.adjust(to: inService, &bits)
    return (copy.places(instances), copy.seconds)
  }

  private mutating func run(
    to wanted: Int, rules: RouterRules, rate: Double, mean: Double, _ effort: Effort,
    _ bits: inout some BitSource
  ) {
    // For as long as an instance may have been idle, where that can be paid.
    let idle = rules.keepAlive.count < .max ? 1.25 * rules.keepAlive.seconds : 0
    let warm = min(max(effort.warmMeans * mean, idle), Self.mostEvents / (4 * rate))
    advance(by: warm, rate: rate, mean: mean, &bits)
    let gap = min(
      effort.gapMeans * mean, Self.mostEvents / (4 * rate * Double(effort.inspections)))
    for _ in 0..<effort.inspections {
      advance(
        by: gap * ZigguratExponential.sample(using: &bits), rate: rate, mean: mean, &bits)
      if busy.count == wanted, waiting == 0 { return }
    }
  }

  private mutating func advance(
    by length: Double, rate: Double, mean: Double, _ bits: inout some BitSource
  ) {
    let stop = seconds + length
    while true {
      let total = rate + Double(busy.count) / mean
      let next = seconds + ZigguratExponential.sample(using: &bits) / total
      // Memoryless: what would come later is drawn anew.
      guard next < stop else { break }
      seconds = next
      if bits.uniform() * total < rate {
        begin(&bits)
      } else {
        end(&bits)
      }
    }
    seconds = stop
  }

  private mutating func begin(_ bits: inout some BitSource) {
    guard let slot = table.choose(using: &bits) else {
      waiting += 1
      return
    }
    table.begin(slot)
    busy.append(slot)
  }

  private mutating func end(_ bits: inout some BitSource) {
    let index = Int(bits.integer(below: UInt64(busy.count)))
    let slot = busy[index]
    busy[index] = busy[busy.count - 1]
    busy.removeLast()
    _ = table.end(slot, at: Instant(nanoseconds: Int64(seconds * 1e9) + 1))
    guard waiting > 0 else { return }
    waiting -= 1
    begin(&bits)
  }

  /// Ends or begins requests where no inspection met the wanted number.
  private mutating func adjust(to wanted: Int, _ bits: inout some BitSource) {
    waiting = 0
    while busy.count > wanted { end(&bits) }
    while busy.count < wanted, waiting == 0 { begin(&bits) }
  }

  private borrowing func places(_ count: Int) -> [Place] {
    var places = Array(repeating: Place(), count: count)
    let now = seconds
    table.visit { slot, instance in
      places[slot.index].inFlight = Int(instance.inFlight)
      if instance.inFlight == 0, instance.idleSince > .origin {
        places[slot.index].idleSeconds = now - instance.idleSince.seconds
      }
    }
    return places
  }
}
