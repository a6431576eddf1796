import ControlPlane
import Primitives
import Testing

/// A partition in one ring against the window's rule and a plain list of its messages.
@Suite struct PartitionLogTests {
  private struct UnderWay {
    var own: PartitionLog<Int64>.Delivery
    var rule: DeliveryWindow.Delivery
  }

  /// Messages come in bursts, go out, are answered in any order, are deleted, and their consumer
  /// crashes: the same numbers from both, and each message at its offset.
  @Test(arguments: [1, 2, 7, 32], [false, true])
  func decidesAsTheWindowDoes(width: Int, tellsLate: Bool) {
    follow(width: width, tellsLate: tellsLate, isSingle: false)
  }

  /// The same of deliveries of one message each, up to as many as there are bits for.
  @Test(arguments: [1, 2, 7, 32, 64, 65, 100, 256])
  func singleDeliveries(width: Int) {
    follow(width: width, tellsLate: false, isSingle: true)
  }

  private func follow(width: Int, tellsLate: Bool, isSingle: Bool) {
    var bits = Xoshiro256PlusPlus(seed: UInt64(2 * width + (tellsLate ? 1 : 0)))
    func below(_ n: Int) -> Int { Int(bits.integer(below: UInt64(n))) }
    var log = PartitionLog<Int64>(width: width, isSingle: isSingle)
    var rule = DeliveryWindow(width: width)
    var underWay: [UnderWay] = []
    var late: [UnderWay] = []
    var (end, base): (Int64, Int64) = (0, 0)
    // One message goes where up to four would.
    let rounds = isSingle ? 3 : 1
    var (resets, skips, longest, passed, single) = (0, 0, 0, 0, 0)
    for step in 0..<20_000 {
      // Now and then many come, so that the ring grows, and it runs empty in between.
      let most = [4, 1, 1, 2][step / 500 % 4]
      for _ in 0..<below(most) {
        if isSingle, below(2) == 0 {
          log.open(below: end + Int64(below(3)), most: below(width + 70))
        }
        if log.passes {
          let bits = log.passSingle(end * 3, since: Instant(nanoseconds: end))
          let expected = rule.deliver(most: 1, logEnd: end + 1)
          #expect(log.offset(endingIn: bits) == end && expected?.first == end)
          let own = PartitionLog<Int64>.Delivery(first: end, count: 1, epoch: 0)
          if let expected { underWay.append(UnderWay(own: own, rule: expected)) }
          end += 1
          single += 1
          continue
        }
        if below(2) == 0, log.isOpen(below: end + 1) {
          let got = log.pass(end * 3, since: Instant(nanoseconds: end))
          end += 1
          let expected = rule.deliver(most: 1, logEnd: end)
          #expect(got.first == expected?.first && got.end == expected?.end)
          if let expected { underWay.append(UnderWay(own: got, rule: expected)) }
          passed += 1
          continue
        }
        let isOpen = log.isOpen(below: end)
        #expect(!isOpen)
        log.append(end * 3, since: Instant(nanoseconds: end))
        end += 1
      }
      switch below(12) {
      case 0..<6:
        for _ in 0..<rounds {
          let size = isSingle ? 1 : Int64(1 + below(4))
          let expected = rule.deliver(most: size, logEnd: end)
          let got = log.deliver(most: size, below: end)
          #expect((got == nil) == (expected == nil))
          if let got, let expected {
            #expect(got.first == expected.first && got.end == expected.end)
            underWay.append(UnderWay(own: got, rule: expected))
          }
        }
      case 6..<10:
        for _ in 0..<rounds where !underWay.isEmpty {
          let delivery = underWay.remove(at: below(underWay.count))
          log.noteAttempt(of: delivery.own)
          #expect(log[delivery.own.first].attempt == 1)
          let expected = rule.complete(delivery.rule)
          let isKnown = below(2) == 0
          if isSingle, log.epoch == 0, below(2) == 0 {
            log.noteAnswer(UInt32(truncatingIfNeeded: delivery.own.first))
            continue
          }
          let got =
            isKnown
            ? log.answered(delivery.own.first, delivery.own.count) : log.complete(delivery.own)
          #expect(got == expected)
          let second = log.complete(delivery.own)
          #expect(second == nil, "answered twice at step \(step)")
        }
      case 10 where !isSingle && below(10) == 0:
        let to = min(end, rule.next + Int64(below(5)))
        let (expected, got) = (rule.skip(to: to), log.skip(to: to))
        #expect(got == expected)
        skips += 1
      // A log that has begun anew lets no message pass.
      case 11 where below(10) == 0 && (!isSingle || step > 15_000):
        late += underWay
        underWay = []
        let (expected, got) = (rule.reset(to: base), log.reset())
        #expect(got == expected)
        resets += 1
      default: break
      }
      if below(8) == 0, let delivery = late.popLast() {
        let isCurrent = log.isCurrent(delivery.own)
        #expect(!isCurrent)
        let got = log.complete(delivery.own)
        #expect(got == nil, "late at step \(step)")
      }
      if !tellsLate || below(20) == 0 {
        let released = log.release()
        #expect(released == (isSingle ? 0 : rule.committed - base))
        base = rule.committed
      }
      longest = max(longest, log.lag)
      agrees(log, rule, base: base, end: end)
      if below(500) == 0 { log = log.clone() }
    }
    #expect(resets > 30 && (skips > 30) != isSingle && longest > 64)
    #expect(base > (isSingle && width == 1 ? 3000 : 5000))
    // A narrow window is hardly ever free just when its log is empty.
    #expect(width < 7 || passed > 100)
    #expect(!isSingle || width < 7 || single > 100)
  }

  private func agrees(
    _ log: borrowing PartitionLog<Int64>, _ rule: borrowing DeliveryWindow, base: Int64, end: Int64
  ) {
    #expect(log.committed == rule.committed && log.next == rule.next && log.logEnd == end)
    #expect(log.base == base && log.lag == Int(end - base) && log.doneAhead == rule.doneAhead)
    #expect(log.hasRoom == rule.hasRoom && log.hasBacklog == (rule.next < end))
    for offset in base..<end where log[offset].message != offset * 3 {
      Issue.record("message \(offset) is not at its place")
    }
    var (own, ruled): ([Range<Int64>], [Range<Int64>]) = ([], [])
    var (ownDone, ruledDone): ([Bool], [Bool]) = ([], [])
    log.visit {
      own.append($0)
      ownDone.append($1)
    }
    rule.visit {
      ruled.append($0)
      ruledDone.append($1)
    }
    #expect(own == ruled && ownDone == ruledDone)
  }
}
