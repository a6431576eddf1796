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
        if isSingle, below(4) == 0 {
          log.open(below: end + Int64(below(below(2) == 0 ? 60 : 3)), most: below(width + 70))
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

  /// Messages that pass and answers in any order, with nothing but the committed prefix followed
  /// when no message passes any more: against a set of answers.
  @Test(arguments: [1, 2, 7, 32, 64, 65, 100, 256])
  func goesOnAsItsPrefixIsCommitted(width: Int) {
    var bits = Xoshiro256PlusPlus(seed: UInt64(width))
    func below(_ n: Int) -> Int { Int(bits.integer(below: UInt64(n))) }
    var log = PartitionLog<Int64>(width: width, isSingle: true)
    var (end, committed, waiting) = (Int64(0), Int64(0), 0)
    var (underWay, answered): ([Int64], Set<Int64>) = ([], [])
    var (reopened, single) = (0, 0)
    for step in 0..<8000 {
      // Longer and shorter.
      if step / 2000 % 2 == 0 ? below(5) < 2 : below(3) == 0 {
        if !log.passes {
          if log.reopen() {
            reopened += 1
          } else {
            log.open(below: .max, most: 1 + below(step / 1000 % 2 == 0 ? 6 : 300))
          }
        }
        if log.passes {
          #expect(Int(end - committed) < width && waiting == 0)
          let number = log.passSingle(end * 3, since: Instant(nanoseconds: end))
          #expect(log.offset(endingIn: number) == end)
          underWay.append(end)
          single += 1
        } else {
          log.append(end * 3, since: Instant(nanoseconds: end))
          waiting += 1
        }
        end += 1
      } else if !underWay.isEmpty {
        let index = min(below(underWay.count), below(underWay.count))
        answered.insert(underWay[index])
        log.noteAnswer(UInt32(truncatingIfNeeded: underWay.remove(at: index)))
        while answered.remove(committed) != nil { committed += 1 }
      }
      while waiting > 0, let delivery = log.deliver(most: 1, below: end) {
        underWay.append(delivery.first)
        waiting -= 1
      }
      #expect(log.committed == committed && log.logEnd == end)
      #expect(log.next == end - Int64(waiting) && log.doneAhead == Int64(answered.count))
      for offset in committed..<end where log[offset].message != offset * 3 {
        Issue.record("message \(offset) is not at its place at step \(step)")
      }
    }
    #expect(reopened > 150 && single > 600, "\(reopened) of \(single)")
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
