import Primitives

// The virtual wait as a reflected Brownian motion.
extension FlowState {
  /// Parts of a step; the backlog at the beginning of one is what its arrivals meet. The first is
  /// short, since steps begin where something was seen: where nobody waits they are long, and short
  /// where some do.
  private static let parts = [0.0625, 0.3125, 0.3125, 0.3125]

  mutating func stepBacklog(arrivals: Int, over h: Double) -> Int {
    let law = currentLaw()
    let m = service.mean
    if !isBacklogKnown { drawBacklog(law, mean: m) }
    var (left, passed) = (arrivals, 0.0)
    for share in Self.parts {
      let part = share * h
      let count = BinomialDraw.sample(left, share: share / (1 - passed), using: &bits)
      left -= count
      // What comes meets the backlog from before it: a backlog that its own arrivals have raised
      // would be seen more often than it is there.
      let wait = backlog > 0 ? law.wait(backlog: backlog / m) * m : 0
      let begun = now + Nanoseconds(seconds: passed * h)
      passed += share
      ledger.settle(
        came(count, from: begun, to: begun + Nanoseconds(seconds: part)),
        wait: Int64((wait * 1e9).rounded()))
      backlog = moved(backlog, law, mean: m, arrivals: count, over: part)
      peakWaiting = max(peakWaiting, queued(behind: backlog, law, mean: m))
    }
    notePeak(law, arrivals: arrivals)
    return followBacklog(law, mean: m, arrivals: arrivals, over: h)
  }

  /// One exact step of the reflected motion. The drift and the arrivals' part of its variance are
  /// the arrivals themselves; the rest of the variance is drawn. The lowest point on the way is
  /// that of a bridge with the whole variance (Asmussen, Glynn and Pitman 1995).
  mutating func moved(
    _ backlog: Double, _ law: CongestionLaw, mean m: Double, arrivals: Int, over h: Double
  ) -> Double {
    let c = Double(law.slots)
    let variance = law.varianceRate * m * h
    let own = max(0, variance - min(law.utilisation, 1) * m * h / c)
    let move =
      Double(arrivals) * m / c - h + own.squareRoot() * ZigguratNormal.sample(using: &bits)
    let exponential = ZigguratExponential.sample(using: &bits)
    let lowest = (move - (move * move + 2 * variance * exponential).squareRoot()) / 2
    return backlog + (move + max(0, -(backlog + law.barrier * m + lowest)))
  }

  /// Requests that wait when the backlog is what it is.
  ///
  /// All that wait must begin before the next one does, so a backlog of V is C V / m requests, less
  /// the part of the one that begins next. In equilibrium that is (1 − ρ) C V / m, which makes the
  /// mean that of Little's law; a backlog far beyond its law, which grows or drains, is short of no
  /// more than a few requests, whatever the rate is now.
  func queued(behind backlog: Double, _ law: CongestionLaw, mean m: Double) -> Int {
    guard backlog > 0, m > 0 else { return 0 }
    let whole = backlog / m * Double(law.slots)
    return Int((whole - min(max(0, 1 - law.utilisation) * whole, Self.mostShort(law))).rounded())
  }

  /// The backlog in which so many wait on average: `queued` the other way round.
  private func backlog(ofQueued count: Double, _ law: CongestionLaw, mean m: Double) -> Double {
    let inLaw = count / min(1, max(law.utilisation, 0.01))
    return min(inLaw, count + Self.mostShort(law)) * m / Double(law.slots)
  }

  /// Of an exponential law, what lies beyond five means is less than a hundredth.
  private static func mostShort(_ law: CongestionLaw) -> Double {
    5 * max(0, 1 - law.utilisation) * Double(law.slots) * law.meanPositiveWait
  }

  /// Makes the counts follow the backlog; a deficit is carried, since the next step starts from the
  /// backlog again.
  private mutating func followBacklog(
    _ law: CongestionLaw, mean m: Double, arrivals: Int, over h: Double
  ) -> Int {
    settledWaiting += arrivals
    let beginning = settledWaiting
    let all = inService + beginning
    var wanted = law.slots + queued(behind: backlog, law, mean: m)
    if backlog <= 0 {
      wanted = law.slots
      for _ in 0..<8 where wanted >= law.slots {
        let (old, new) = endings(arrivals: beginning, over: h)
        wanted = all - old - new
      }
      wanted = min(wanted, law.slots - 1)
    }
    let completed = max(0, all - wanted)
    let begun = beginnings(waiting: settledWaiting, completed: completed)
    settledWaiting -= begun
    inService += begun
    inService -= completed
    return completed
  }

  /// The longest queue of a step while nobody is asked for: of a birth-death queue, whose times
  /// above all slots begin at rate λ P (1 − ρ), in runs of 1/(1 − ρ) on average, and whose runs
  /// reach j waiting with a chance of about ρ^(j − 1).
  private mutating func notePeak(_ law: CongestionLaw, arrivals: Int) {
    let rho = min(law.utilisation, CongestionLaw.highestStable)
    var times = Double(arrivals) * law.waitProbability * (1 - rho) * (1 - rho)
    var justified = 0
    let isDue = feed.second == peakSecond
    if isDue {
      // A rest has ended because here one waits more than starts under way are for.
      peakSecond = .min
      justified = control.starts.count * rules.concurrencyLimit
      peakWaiting = max(peakWaiting, justified + 1)
      times *= Elementary.pow(rho, Double(justified))
    }
    guard times > 0 else { return }
    let chance = bits.uniformOpen()
    let reach: Double
    if !isDue {
      reach = -Elementary.log(chance) / times
    } else if times > 1e-6 {
      reach = -Elementary.log1p(-chance * (1 - Elementary.exp(-times))) / times
    } else {
      reach = chance
    }
    guard reach < 1 else { return }
    // The greatest j with ρ^(j − 1) >= reach.
    peakWaiting = max(
      peakWaiting, justified + 1 + Int(Elementary.log(reach) / Elementary.log(rho)))
  }

  /// The parameters for the present capacity and load, computed anew where they have moved by more
  /// than 1/256. However long services take, as many wait as did: the time that it takes changes.
  private mutating func currentLaw() -> CongestionLaw {
    let slots = slots
    let utilisation = offeredLoad / Double(slots)
    if lawMean > 0, lawMean != service.mean { backlog *= service.mean / lawMean }
    lawMean = service.mean
    if let law, law.slots == slots,
      abs(law.utilisation - utilisation) < (1 - min(utilisation, 0.99)) / 256
    {
      return law
    }
    if let law, law.slots != slots, backlog != 0 {
      // The count stays; the time that it takes changes.
      backlog *= Double(law.slots) / Double(slots)
    }
    let made = CongestionLaw(
      slots: slots, utilisation: utilisation, squaredCV: service.squaredCV)
    law = made
    return made
  }

  /// Begins with the backlog that fits the counts: above zero when all slots are taken, else at the
  /// same quantile of its law below zero as the requests in service are of theirs, a Poisson law
  /// cut off at the slots.
  private mutating func drawBacklog(_ law: CongestionLaw, mean m: Double) {
    isBacklogKnown = true
    if settledWaiting > 0 {
      let count = Double(settledWaiting) - 0.5 + bits.uniform()
      backlog = backlog(ofQueued: count, law, mean: m)
      return
    }
    backlog = standing(at: inService, law, mean: m)
  }

  /// The backlog of a line in which nobody waits and so many are in service.
  mutating func standing(at inService: Int, _ law: CongestionLaw, mean m: Double) -> Double {
    if inService >= law.slots {
      return backlog(ofQueued: 0.5 * bits.uniformOpen(), law, mean: m)
    }
    let load = Double(law.slots) * min(law.utilisation, CongestionLaw.highestStable)
    guard load > 0, law.barrier.isFinite else { return 0 }
    func below(_ count: Int) -> Double {
      count > 0 ? Elementary.regularizedGammaQ(Double(count), load) : 0
    }
    let (low, high, all) = (below(inService), below(inService + 1), below(law.slots))
    let rank = all > 0 ? min(1, (low + (high - low) * bits.uniform()) / all) : 1
    let depth =
      -law.barrier
      - law.meanPositiveWait * Elementary.log1p(-rank * (1 - law.waitProbability))
    return min(0, depth * m)
  }
}
