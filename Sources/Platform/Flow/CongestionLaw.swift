import Primitives

/// Waiting of a lane with one queue and `slots` slots at a given utilisation: the stationary law,
/// and the reflected Brownian motion whose stationary law it is. Time is in the unit of the mean
/// service time.
///
/// The backlog V is the time that a request arriving now would wait: W = max(V, 0). V has drift ρ −
/// 1, a variance rate and a barrier at −b with b = η ln(1/P), so that P(V > 0) = P and V given V >
/// 0 is exponential with mean η. For exponential service P and η are Erlang's; other laws enter by
/// their squared coefficient of variation alone, interpolated between constant, lognormal and
/// exponential service (a fit of this project's cells, in sample).
struct CongestionLaw: Sendable, Equatable {
  let slots: Int
  let utilisation: Double
  /// Share of requests that wait.
  let waitProbability: Double
  /// Mean wait of those that wait.
  let meanPositiveWait: Double
  /// Of V, per unit of time.
  let varianceRate: Double
  /// Depth of the barrier.
  let barrier: Double
  /// Exponent k of the Weibull law that V's exponential is mapped to.
  let weibull: Double
  private let weibullScale: Double

  /// Utilisations are capped here, where stationary formulas are asked for: beyond, the drift alone
  /// matters.
  static let highestStable = 0.995

  init(slots: Int, utilisation: Double, squaredCV: Double) {
    self.slots = slots
    self.utilisation = utilisation
    let c = Double(slots)
    let rho = min(max(utilisation, 1e-6), Self.highestStable)
    let theta = 1 - rho
    let erlang = Self.erlangC(slots: slots, utilisation: rho)
    let fit = Self.fit(squaredCV)
    let p = min(1, erlang / (1 + fit.kappa * (1 - erlang) * (c - 1) / (c + 1)))
    let power = Elementary.exp(fit.alpha * (1 - 1 / c) * Elementary.log(erlang))
    let f = 1 + ((1 + squaredCV) / 2 - 1) * power
    waitProbability = p
    let mean = f * erlang / (c * theta)
    meanPositiveWait = p > 0 ? mean / p : 0
    varianceRate =
      utilisation >= 1 ? (1 + squaredCV) / c : 2 * (p > 0 ? f * erlang / p : f) / c
    barrier = p > 0 ? meanPositiveWait * -Elementary.log(p) : .infinity
    weibull = Self.weibullExponent(
      squaredCV, utilisation: rho, erlang: erlang, slots: slots)
    weibullScale = Elementary.exp(-Elementary.logGamma(1 + 1 / weibull))
  }

  /// Mean wait of all requests.
  var meanWait: Double { waitProbability * meanPositiveWait }

  /// The wait for a backlog V > 0: a Weibull law of the same mean up to four means, slope 1 beyond.
  func wait(backlog v: Double) -> Double {
    guard weibull != 1, meanPositiveWait > 0 else { return v }
    let knee = 4.0
    let scaled = v / meanPositiveWait
    let low = min(scaled, knee)
    let mapped = weibullScale * Elementary.pow(low, 1 / weibull)
    return meanPositiveWait * (mapped + max(0, scaled - knee))
  }

  /// Erlang's delay probability: by recursion up to 64 slots, above by the refined square-root
  /// formula of Janssen, van Leeuwaarden and Zwart (2011), within 0.6 % from 10 slots on.
  static func erlangC(slots: Int, utilisation rho: Double) -> Double {
    guard slots > 0 else { return 1 }
    guard rho < 1 else { return 1 }
    guard slots > 64 else { return delay(blocking: erlangB(slots, load: Double(slots) * rho), rho) }
    let c = Double(slots)
    let q = (-2 * c * (1 - rho + Elementary.log(rho))).squareRoot()
    let tail = Elementary.normalCDF(q) * 2.506628274631000502 * Elementary.exp(0.5 * q * q)
    guard tail.isFinite else { return 0 }
    return 1 / (rho + (1 - rho) * c.squareRoot() * (tail + 2 / (3 * c.squareRoot())))
  }

  /// Erlang's blocking probability by its recursion. O(slots).
  static func erlangB(_ slots: Int, load: Double) -> Double {
    guard slots > 0 else { return 1 }
    var blocking = 1.0
    for k in 1...slots { blocking = load * blocking / (Double(k) + load * blocking) }
    return blocking
  }

  private static func delay(blocking: Double, _ rho: Double) -> Double {
    blocking / (1 - rho * (1 - blocking))
  }

  /// (cs², κ, α): constant, lognormal with σ = 0.6 and 0.8, exponential, lognormal with σ = 1, 1.2
  /// and 1.3.
  private static let fits: [(cv2: Double, kappa: Double, alpha: Double)] = [
    (0, 0.125, 0.09), (0.433, 0.05, 0.065), (0.896, 0.005, 0), (1, 0, 0.1), (1.718, -0.035, 0.63),
    (3.221, -0.065, 0.565), (4.42, -0.07, 0.615),
  ]

  private static func fit(_ cv2: Double) -> (kappa: Double, alpha: Double) {
    guard cv2 < fits[fits.count - 1].cv2 else {
      return (fits[fits.count - 1].kappa, fits[fits.count - 1].alpha)
    }
    var index = 0
    while index + 2 < fits.count, fits[index + 1].cv2 <= cv2 { index += 1 }
    let (a, b) = (fits[index], fits[index + 1])
    let share = (cv2 - a.cv2) / (b.cv2 - a.cv2)
    return (a.kappa + share * (b.kappa - a.kappa), a.alpha + share * (b.alpha - a.alpha))
  }

  /// From the squared coefficient of variation of W given W > 0: with one slot its exact value
  /// (Whitt 1993), with more a fit. The third moment is taken from a lognormal law above 1 and from
  /// a gamma law below.
  private static func weibullExponent(
    _ cv2: Double, utilisation rho: Double, erlang: Double, slots: Int
  ) -> Double {
    guard cv2 < 0.999 || cv2 > 1.001 else { return 1 }
    let c = Double(slots)
    let third = cv2 > 1 ? (1 + cv2) * (1 + cv2) * (1 + cv2) : (1 + cv2) * (1 + 2 * cv2)
    let single = 2 * rho - 1 + 4 * (1 - rho) * third / (3 * (1 + cv2) * (1 + cv2))
    let shape: Double
    if cv2 < 1 {
      shape = slots > 1 ? min(single, 1 - 0.27 * (1 - cv2) * (1 - erlang * erlang)) : single
    } else {
      shape = 1 + (single - 1) * Elementary.pow(erlang, 0.4 * (1 - 1 / c))
    }
    return Elementary.pow(max(0.2, min(shape, 8)), -0.543)
  }
}
