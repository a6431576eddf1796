extension Elementary {
  /// The cosine of `x` in radians, within 2 units of the last place for every finite x. NaN for
  /// infinities.
  public static func cos(_ x: Double) -> Double {
    guard x.magnitude < .infinity else { return .nan }
    let (quadrant, r) = reduceToQuadrant(x)
    return turned(quadrant &+ 1, r)
  }

  /// sin(quadrant·π/2 + r).
  @inline(__always)
  private static func turned(_ quadrant: Int64, _ r: DoubleDouble) -> Double {
    let value = quadrant & 1 == 0 ? sinNear0(r) : cosNear0(r)
    return quadrant & 2 == 0 ? value : -value
  }

  /// Taylor's series to x¹⁷, |x| <= π/4; the last digits of the argument enter through the
  /// derivative.
  private static func sinNear0(_ x: DoubleDouble) -> Double {
    let r = x.high
    let z = r * r
    let tail =
      (1.0 / 120) + z
      * ((-1.0 / 5040) + z
        * ((1.0 / 362_880) + z
          * ((-1.0 / 39_916_800) + z
            * ((1.0 / 6_227_020_800) + z
              * ((-1.0 / 1_307_674_368_000) + z * (1.0 / 355_687_428_096_000))))))
    return r + (r * z * ((-1.0 / 6) + z * tail) + x.low * (1 - 0.5 * z))
  }

  /// Taylor's series to x¹⁶, |x| <= π/4; 1 − z/2 is kept with what its rounding loses.
  private static func cosNear0(_ x: DoubleDouble) -> Double {
    let r = x.high
    let z = r * r
    let tail =
      (1.0 / 24) + z
      * ((-1.0 / 720) + z
        * ((1.0 / 40_320) + z
          * ((-1.0 / 3_628_800) + z
            * ((1.0 / 479_001_600) + z
              * ((-1.0 / 87_178_291_200) + z * (1.0 / 20_922_789_888_000))))))
    let half = 0.5 * z
    let head = 1 - half
    return head + (((1 - head) - half) + (z * z * tail - r * x.low))
  }
}
