import Primitives

extension Sampler {
  /// The draws of an index and its neighbour as whole nanoseconds: what the `PairedStream` of each
  /// gives, bit for bit. Of a lognormal distribution both cost little more than one does.
  ///
  /// Never inlined: it is asked for once for two draws, and its values would take the registers of
  /// whoever asks.
  @inline(never)
  public func sampleNanosecondsOfPair(
    key: StreamKey, index: UInt64
  ) -> (even: Int64, odd: Int64) {
    let words = PairedStream.firstWords(key: key, index: index)
    if mixed == nil, simple.kind == .lognormal {
      let values = ZigguratNormal.lognormals(words.even, words.odd, sigma: simple.shape)
      let count = (simple.shift + simple.factor * values) * 1e9 + 0.5
      let whole = wholeParts(count)
      // Not where one is NaN.
      let isFirst = count[0] >= 0.5 && count[0] < 0x1p51
      let isSecond = count[1] >= 0.5 && count[1] < 0x1p51
      return (
        isFirst ? whole[0] : alone(key: key, index: index & ~1, first: words.even),
        isSecond ? whole[1] : alone(key: key, index: index | 1, first: words.odd)
      )
    }
    return (
      alone(key: key, index: index & ~1, first: words.even),
      alone(key: key, index: index | 1, first: words.odd)
    )
  }

  @inline(never) private func alone(key: StreamKey, index: UInt64, first: UInt64) -> Int64 {
    var bits = PairedStream(key: key, index: index, first: first)
    return sampleNanoseconds(using: &bits)
  }
}

/// Numbers from 0 up to 2^51 without what is behind the point, as `Int64(_:)` gives of each: the
/// nearest whole number, less one where that is above, which then stands in the low bits.
@inline(__always)
private func wholeParts(_ x: SIMD2<Double>) -> SIMD2<Int64> {
  let shift = SIMD2<Double>(repeating: 0x1p52)
  let nearest = (x + shift) - shift
  let below = nearest - SIMD2<Double>().replacing(with: 1, where: nearest .> x)
  let bits = unsafeBitCast(below + shift, to: SIMD2<Int64>.self)
  return bits & SIMD2(repeating: 1 << 52 - 1)
}
