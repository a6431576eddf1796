import Primitives
import SimulationKernel

/// Deliveries of several messages, of a lane at flow fidelity.
///
/// While windows have room each message is a delivery of its own, and the lane is a line as any
/// other. Once they are full (`isActive`) what is beyond them waits in the logs, and deliveries of
/// what logs have go out as places become free: counted by runs of deliveries made at one time.
struct FlowBatches: Sendable {
  /// Deliveries that were made at one time, in the order in which they go out.
  struct Run: Sendable, BitwiseCopyable {
    var deliveries = 0
    var messages = 0

    static func singles(_ count: Int) -> Run { Run(deliveries: count, messages: count) }

    var size: Double { deliveries > 0 ? Double(messages) / Double(deliveries) : 1 }

    static func += (a: inout Run, b: Run) {
      a.deliveries += b.deliveries
      a.messages += b.messages
    }
  }

  /// Runs in order.
  struct Line: Sendable {
    private var runs: [Run] = []
    private(set) var all = Run()

    var deliveries: Int { all.deliveries }
    var messages: Int { all.messages }

    mutating func append(_ run: Run) {
      guard run.deliveries > 0 else { return }
      all += run
      if let last = runs.last, last.messages == last.deliveries, run.messages == run.deliveries {
        runs[runs.count - 1] += run
      } else {
        runs.append(run)
      }
    }

    mutating func putFirst(_ run: Run) {
      guard run.deliveries > 0 else { return }
      all += run
      runs.insert(run, at: 0)
    }

    /// Takes out the first deliveries. Precondition: there are as many.
    mutating func take(_ deliveries: Int) -> Run {
      var taken = Run()
      while taken.deliveries < deliveries, let first = runs.first {
        let left = deliveries - taken.deliveries
        if first.deliveries <= left {
          taken += first
          runs.removeFirst()
          continue
        }
        // Each keeps one message at least, since a run has no fewer messages than deliveries.
        let messages = first.messages * left / first.deliveries
        taken += Run(deliveries: left, messages: messages)
        runs[0].deliveries -= left
        runs[0].messages -= messages
      }
      all.deliveries -= taken.deliveries
      all.messages -= taken.messages
      return taken
    }

    mutating func takeAll() -> Run { take(deliveries) }
  }

  let most: Int
  let window: Int
  let partitions: Int
  private let sums: [ServiceSum]
  /// The service of a delivery of one message.
  var single: FlowService
  /// Windows are full, or were of late.
  var isActive = false
  /// Messages beyond the windows, by when they came.
  var log = WaitLedger()
  /// At their consumer, and on instances.
  var held = Line()
  var calls = Line()
  /// Since windows let out something last.
  var step = SharedWindow.Step()
  /// What those that end take.
  var ended: FlowService?

  init(
    _ topic: (rules: TopicConfiguration, partitions: Int), _ sums: [ServiceSum],
    single: FlowService
  ) {
    self.single = single
    most = topic.rules.maximumBatch
    window = topic.rules.window
    partitions = topic.partitions
    self.sums = sums
  }

  /// Places of all windows.
  var places: Int { partitions * window }

  /// Whether each delivery that is there has one message.
  var areSingle: Bool {
    calls.messages == calls.deliveries && held.messages == held.deliveries
  }

  /// The service of a delivery of so many messages, which costs something beside them.
  func service(messages: Double) -> FlowService {
    guard messages > 1 else { return single }
    // Of the nearest sum that there is, with the mean of this one.
    let sum = sums.last { Double($0.count) <= messages * 1.09 } ?? sums[0]
    return single.replaced(by: sum.shape, times: messages / Double(sum.count))
  }
}

/// The law of a sum of service times.
struct ServiceSum: Sendable {
  var count: Int
  var shape: ServiceShape

  /// Sums of 1, 2, 3, 4, 6, 8, 12 … times of a law, up to `most`.
  static func sums(of shape: ServiceShape, most: Int) -> [ServiceSum] {
    var made = [ServiceSum(count: 1, shape: shape)]
    func add(_ a: Int, _ b: Int) {
      guard a + b <= most, let first = made.first(where: { $0.count == a }),
        let second = made.first(where: { $0.count == b })
      else { return }
      made.append(
        ServiceSum(count: a + b, shape: ServiceShape(sumOf: first.shape, second.shape)))
    }
    add(1, 1)
    add(2, 1)
    var power = 2
    while power < most {
      add(power, power)
      add(power * 3 / 2, power * 3 / 2)
      power *= 2
    }
    return made
  }
}
