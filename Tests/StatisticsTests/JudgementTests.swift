import Statistics
import Testing

@Suite struct JudgementTests {
  private func interval(_ low: Double, _ high: Double) -> Interval {
    Interval(mean: (low + high) / 2, low: low, high: high, level: 0.95, n: 10)
  }

  @Test(arguments: [
    (1.0, 2.0, Relation.less, 3.0, ObjectiveVerdict.met),
    (1, 2, .less, 2, .undecided),
    (1, 2, .lessOrEqual, 2, .met),
    (1, 2, .less, 1, .missed),
    (1, 2, .lessOrEqual, 1, .undecided),
    (1, 2, .greater, 1, .undecided),
    (1, 2, .greaterOrEqual, 1, .met),
    (1, 2, .greater, 2, .missed),
    (1, 2, .greater, 0.5, .met),
    (1, .infinity, .less, 5, .undecided),
    (6, .infinity, .less, 5, .missed),
  ])
  func intervalsAgainstLimits(
    low: Double, high: Double, relation: Relation, limit: Double, expected: ObjectiveVerdict
  ) {
    let judgement = Judgement(interval: interval(low, high), relation, limit: limit)
    #expect(judgement.verdict == expected)
  }

  /// Twelve digits decide: noise of the last place does not.
  @Test func noiseOfTheLastPlaceDoesNotFlipAVerdict() {
    let limit = 0.3
    #expect(Relation.lessOrEqual.holds(0.1 + 0.2, limit))
    #expect(!Relation.less.holds(0.3 - 1e-16, limit))
    #expect(Relation.less.holds(0.3 - 1e-11, limit))
  }

  @Test func noSampleIsNeverMet() throws {
    for values in [[], [nil], [nil, nil, nil]] as [[Double?]] {
      let judgement = try Judgement(values: values, .less, limit: 5)
      #expect(judgement == Judgement(verdict: .undecided, basis: .noSample))
    }
  }

  @Test func oneReplicationJudgesByItsValue() throws {
    let met = try Judgement(values: [4], .less, limit: 5)
    #expect(met == Judgement(verdict: .met, basis: .singleValue(4)))
    #expect(try Judgement(values: [6], .less, limit: 5).verdict == .missed)
    // One observation among several replications is not one replication.
    let alone = try Judgement(values: [4, nil, nil], .less, limit: 5)
    #expect(alone.basis == .tooFewReplications(given: 1, needed: 2))
  }

  @Test func sizeNeedsEightSeeds() throws {
    let needed = Judgement.leastReplicationsForSize
    let seven = (0..<7).map { Optional(1 + 0.001 * Double($0)) }
    let few = try Judgement(values: seven, .less, limit: 5, leastReplications: needed)
    #expect(few.verdict == .undecided)
    #expect(few.basis == .tooFewReplications(given: 7, needed: 8))
    let enough = try Judgement(
      values: seven + [1.007], .less, limit: 5, leastReplications: needed)
    #expect(enough.verdict == .met)
    let one = try Judgement(values: [1], .less, limit: 5, leastReplications: needed)
    #expect(one.verdict == .undecided)
  }

  @Test func replicationsJudgeByTheirInterval() throws {
    let values: [Double?] = [4.8, 4.9, 5.0, 5.1]
    #expect(try Judgement(values: values, .less, limit: 5).verdict == .undecided)
    #expect(try Judgement(values: values, .less, limit: 6).verdict == .met)
    #expect(try Judgement(values: values, .greater, limit: 6).verdict == .missed)
    #expect(throws: StatisticsError.self) {
      try Judgement(values: [1, .nan], .less, limit: 5)
    }
  }
}
