import Primitives
import SimulationKernel

// What a topic's brokers know and keep.
extension FlowState {
  /// Deletes messages that the topic keeps no more. What consumers hold already counts among them:
  /// no more than may be under way.
  mutating func deleteOld() {
    guard let rules = settings.topic?.rules, rules.hasRetention, waiting > 0 else { return }
    if isBatching { return deleteFromLogs(rules) }
    var expired = 0
    if let most = rules.retentionMessages, let partitions = settings.topic?.partitions {
      expired += dropOldest(waiting - most * partitions)
    }
    if let age = rules.retention {
      if ledger.waiting > 0 {
        expired += dropOldest(ledger.older(than: now.nanoseconds - age.count))
      } else if backlog > age.seconds {
        // Those that are as old wait at the head of the line, and it becomes shorter by them.
        openCohorts()
        expired += dropOldest(ledger.older(than: now.nanoseconds - age.count))
      }
    }
    noteExpired(expired)
  }

  /// The same where what is at consumers is told apart from what logs have.
  private mutating func deleteFromLogs(_ rules: TopicConfiguration) {
    var old = 0
    if let most = rules.retentionMessages {
      old = batches!.log.waiting - most * batches!.partitions
    }
    if let age = rules.retention {
      old = max(old, batches!.log.older(than: now.nanoseconds - age.count))
    }
    guard old > 0 else { return }
    var expired = 0
    batches!.log.dequeue(old) { expired += $0.count }
    noteExpired(expired)
  }

  private mutating func noteExpired(_ count: Int) {
    counters.expired &+= UInt64(count)
    if count > 0 { digest.record(RecordKind.dropped, at: now, UInt64(count)) }
  }

  /// Returns how many it has dropped.
  private mutating func dropOldest(_ count: Int) -> Int {
    guard count > 0 else { return 0 }
    if settledWaiting > 0 { openCohorts() }
    var dropped = 0
    ledger.dequeue(count) { dropped += $0.count }
    return dropped
  }

  /// What is committed is told to the broker from time to time, where that is not done at once.
  mutating func tellBroker() {
    guard settings.topic?.rules.isTold(at: now) == true else { return }
    toldCompleted = counters.completed
  }

  // MARK: Lag

  /// Messages that the broker does not know as committed.
  var lag: Int {
    let open = inService + inDraining + waiting + answeredAhead + repeating + heldBack
    guard settings.topic?.rules.persistInterval != nil else { return open }
    return open + Int(counters.completed &- toldCompleted)
  }

  /// Messages that were answered while one before them in their partition was not: their mean, for
  /// as many as are in service now.
  var answeredAhead: Int {
    if windows != nil { return answeredAheadOfWindows }
    guard let topic = settings.topic, inService > 0, topic.rules.window > 1 else { return 0 }
    if let batches, batches.isActive {
      return Int((aheadOfBatches * batches.calls.all.size).rounded())
    }
    if topic.rules.skew == 0 {
      let each = Double(inService) / Double(topic.partitions)
      let ahead = aheadTable.value(each, mean: service.mean) ?? aheadOfCommit(inService: each)
      return Int((Double(topic.partitions) * ahead).rounded())
    }
    let weights = TopicConfiguration.weights(topic.partitions, skew: topic.rules.skew)
    let sum = weights.reduce(0) { $0 + aheadOfCommit(inService: Double(inService) * $1) }
    return Int(sum.rounded())
  }

  /// To be called before `lag` is asked for, as often as is convenient: it costs more without.
  mutating func prepareLag() {
    guard let topic = settings.topic, inService > 0, topic.rules.window > 1, windows == nil,
      topic.rules.skew == 0, batches == nil
    else { return }
    var table = AheadTable()
    swap(&table, &aheadTable)
    table.prepare(Double(inService) / Double(topic.partitions), mean: service.mean) {
      aheadOfCommit(inService: $0)
    }
    swap(&table, &aheadTable)
  }

  /// The same of one partition, whose messages begin as a Poisson process with so many in service
  /// on average, x.
  ///
  /// The oldest message in service began more than a ago with probability 1 − e^(−x s(a)), where s
  /// is the residual law; all that began since are not committed. So their mean is 1 − e^(−x), for
  /// itself, and the rate x / m times the mean of that age; of these x are in service.
  func aheadOfCommit(inService x: Double) -> Double {
    let m = service.mean
    guard x > 0, m > 0 else { return 0 }
    func older(_ age: Double) -> Double { 1 - Elementary.exp(-x * service.survival(ofOld: age)) }
    var (age, before) = (0.0, older(0))
    let itself = before
    var mean = 0.0
    var next = 0.02 * m
    while before > 1e-4, next < 1e4 * m {
      let after = older(next)
      mean += (before + after) / 2 * (next - age)
      (age, before) = (next, after)
      next += max(0.02 * m, 0.05 * next)
    }
    return min(max(0, itself + x / m * mean - x), Double(settings.mostOutstanding))
  }
}
