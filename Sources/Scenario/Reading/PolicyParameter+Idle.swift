// Parameters of the policies for what is kept without a request: idle instances, warm pods.
extension PolicyParameter {
  private static func paper(_ text: String) -> Default {
    .published(text, source: "Shahrad et al., Serverless in the Wild, 2020")
  }

  static let hybrid: [PolicyParameter] = [
    PolicyParameter(
      name: "bin", value: .duration(least: "1s", most: "1h"), fallback: paper("60s"),
      about: "width of a bin of idle times"),
    PolicyParameter(
      name: "bins", value: .count(2...10_000), fallback: paper("240"),
      about: "their number; `bin` × `bins` is how long instances stay while too little is known"),
    PolicyParameter(
      name: "head", value: .share(0...1), fallback: paper("5%"),
      about: "share of idle times up to whose bin no instance is kept"),
    PolicyParameter(
      name: "tail", value: .share(0.01...1), fallback: paper("99%"),
      about: "share of idle times after whose bin none is kept either"),
    PolicyParameter(
      name: "margin", value: .share(0...1), fallback: paper("10%"),
      about: "by which instances come sooner and stay longer"),
    PolicyParameter(
      name: "out_of_bounds", value: .share(0.01...1), fallback: paper("50%"),
      about: "share of idle times beyond all bins from which the next one is foretold instead"),
    PolicyParameter(
      name: "least_variation", value: .number(0...1e6), fallback: paper("2"),
      about: "coefficient of variation of the bins' counts below which they say nothing"),
    PolicyParameter(
      name: "series_margin", value: .share(0...0.99), fallback: paper("15%"),
      about: "around an idle time that is foretold"),
    PolicyParameter(
      name: "series_weight", value: .share(0.001...1), fallback: .assumed("0.5"),
      about:
        "of the latest idle time beyond all bins, in an exponential average that stands for the "
        + "paper's ARIMA"),
  ]

  private static let bounds: [PolicyParameter] = [
    PolicyParameter(
      name: "least", value: .count(0...1_000_000), fallback: .assumed("0"), about: "pods at least"),
    PolicyParameter(
      name: "most", value: .count(0...1_000_000), fallback: .assumed("100000"),
      about: "pods at most"),
  ]

  static let following =
    [
      PolicyParameter(
        name: "share", value: .share(0...1),
        fallback: .published("2%", source: "ByteFaaS talk, slide 24: 2 % of the resources warm"),
        about: "of the ready pods; its name may be left out")
    ] + bounds

  static let baseStock =
    [
      PolicyParameter(
        name: "miss", value: .share(1e-9...0.99), fallback: .assumed("0.1%"),
        about: "share of takes that may find the pool empty"),
      PolicyParameter(
        name: "window", value: .duration(least: "10s", most: "24h"), fallback: .assumed("10m"),
        about: "time over which takes and refills are counted"),
      PolicyParameter(
        name: "refill", value: .duration(least: "1ms", most: "1h"), fallback: .assumed("10s"),
        about: "what a refill takes until a window has shown it"),
      PolicyParameter(
        name: "beginning", value: .number(0...1e6), fallback: .assumed("10"),
        about: "pods until the first window has been counted, also after a change of owner"),
    ] + bounds
}
