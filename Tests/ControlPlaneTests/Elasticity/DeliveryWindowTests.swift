import ControlPlane
import Primitives
import Testing

/// A partition's window against a plain account of every message.
@Suite struct DeliveryWindowTests {
  /// What a consumer and its topic know by message.
  private struct Account {
    var answered: [Bool] = []
    var deliveries: [Int] = []
    var underWay: [DeliveryWindow.Delivery] = []
    /// What was under way when a consumer crashed: its answers still come.
    var late: [DeliveryWindow.Delivery] = []

    /// The first message that was not answered.
    var prefix: Int64 { Int64(answered.firstIndex(of: false) ?? answered.count) }
  }

  @Test(arguments: [1, 2, 7, 32])
  func agreesWithAnAccountOfEveryMessage(width: Int) {
    var bits = Xoshiro256PlusPlus(seed: UInt64(width))
    func below(_ n: Int) -> Int { Int(bits.integer(below: UInt64(n))) }
    var window = DeliveryWindow(width: width)
    var account = Account()
    var crashes = 0
    var again: Int64 = 0
    for step in 0..<6000 {
      if below(2) == 0 {
        let arrivals = below(5)
        account.answered += Array(repeating: false, count: arrivals)
        account.deliveries += Array(repeating: 0, count: arrivals)
      }
      let committed = window.committed
      switch below(10) {
      case 0..<5:
        let end = Int64(account.answered.count)
        let hadRoom = window.hasRoom && window.next < end
        let delivery = window.deliver(most: Int64(1 + below(4)), logEnd: end)
        #expect((delivery != nil) == hadRoom)
        if let delivery {
          for message in delivery.first..<delivery.end { account.deliveries[Int(message)] += 1 }
          account.underWay.append(delivery)
        }
      case 5..<9 where !account.underWay.isEmpty:
        let delivery = account.underWay.remove(at: below(account.underWay.count))
        for message in delivery.first..<delivery.end { account.answered[Int(message)] = true }
        let grown = window.complete(delivery)
        #expect(grown == window.committed - committed)
        let second = window.complete(delivery)
        #expect(second == nil, "answered twice at step \(step)")
      case 9 where below(8) == 0:
        crashes += 1
        account.late += account.underWay
        again += window.reset()
        for message in Int(committed)..<account.answered.count { account.answered[message] = false }
        account.underWay = []
        #expect(window.next == committed && window.uncommitted == 0)
      default: break
      }
      if below(8) == 0, let late = account.late.popLast() {
        // The same messages may be under way again; this answer is not to that.
        let grown = window.complete(late)
        #expect(grown == nil, "late at step \(step)")
      }
      #expect(window.committed == account.prefix && window.committed >= committed)
      #expect(window.outstanding == account.underWay.count && window.outstanding <= width)
      let inFlight = account.underWay.reduce(Int64(0)) { $0 + $1.count }
      #expect(window.uncommitted == inFlight + window.doneAhead)
      if width == 1 { #expect(window.doneAhead == 0) }
    }
    #expect(crashes > 30 && again > 0 && window.committed > 500)
    // Each committed message was delivered, some of them more than once.
    let committed = account.deliveries[..<Int(window.committed)]
    #expect(committed.allSatisfy { $0 >= 1 } && committed.contains { $0 > 1 })
  }

  @Test func staysOpenOnlyAsFarAsItsWidth() {
    var window = DeliveryWindow(width: 3, committed: 100)
    var all: [DeliveryWindow.Delivery] = []
    while let delivery = window.deliver(most: 10, logEnd: 1000) { all.append(delivery) }
    #expect(all.map(\.first) == [100, 110, 120] && !window.hasRoom)
    // Later ones are done, but the prefix waits for the first.
    let later = [window.complete(all[1]), window.complete(all[2])]
    #expect(later == [0, 0] && window.doneAhead == 20 && !window.hasRoom)
    let grown = window.complete(all[0])
    #expect(grown == 30 && window.committed == 130 && window.hasRoom)
  }
}
