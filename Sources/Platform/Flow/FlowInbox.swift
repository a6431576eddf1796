import Primitives

/// Messages on their way to a flow lane, in order of time and, at one time, of coming.
///
/// A surge that asks for thousands of instances has as many answers under way: to take the first is
/// O(1) amortised, to put one in O(messages that come later).
struct FlowInbox: Sendable {
  struct Mail: Sendable {
    var at: Instant
    var delivery: Delivery
  }

  private var mails: [Mail] = []
  private var head = 0

  init() {}

  /// - Parameter mails: in any order; of two at one time the first comes first.
  init(_ mails: [Mail]) {
    for mail in mails { put(mail.delivery, at: mail.at) }
  }

  var first: Mail? { head < mails.count ? mails[head] : nil }

  /// In order.
  var all: [Mail] { Array(mails[head...]) }

  mutating func put(_ delivery: Delivery, at instant: Instant) {
    var (low, high) = (head, mails.count)
    while low < high {
      let middle = (low + high) / 2
      if mails[middle].at <= instant { low = middle + 1 } else { high = middle }
    }
    mails.insert(Mail(at: instant, delivery: delivery), at: low)
  }

  /// Precondition: there is one.
  mutating func removeFirst() -> Mail {
    let mail = mails[head]
    head += 1
    if head == mails.count || head > 64 && head * 2 > mails.count {
      mails.removeFirst(head)
      head = 0
    }
    return mail
  }
}
