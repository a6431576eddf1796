import Primitives
import Testing
import Workload

@testable import Platform

/// How messages of a second, whose identities are in a row, fall on partitions.
@Suite struct PartitionChoiceTests {
  /// As chance has it: the squares of the distances from equal shares, against those of a
  /// multinomial law, over 400 rows; the mean of 400 × (partitions − 1) squared normal numbers is 1
  /// within five deviations.
  @Test(arguments: [2, 3, 8, 32, 128], [64, 3000])
  func rowsFallAsChanceHasIt(partitions: Int, length: Int) {
    let topic = LaneTopic(
      TopicConfiguration(partitions: partitions), count: partitions, consumers: 1,
      brokers: LaneBrokers())
    let key = StreamKey(seed: 3, replication: 0, name: "partitions").raw
    let rows = 400
    var sum = 0.0
    for second in 0..<rows {
      var counts = Array(repeating: 0.0, count: partitions)
      for k in 0..<length {
        counts[topic.partition(of: Arrival.identity(second: second, k: k), key: key)] += 1
      }
      let mean = Double(length) / Double(partitions)
      for count in counts { sum += (count - mean) * (count - mean) / mean }
    }
    let freedom = Double(rows * (partitions - 1))
    let dispersion = sum / freedom
    #expect(abs(dispersion - 1) < 5 * (2 / freedom).squareRoot(), "\(dispersion)")
  }
}
