/// XXH3 for inputs beyond 240 bytes: eight lanes over stripes of 64 bytes, scrambled after every
/// 1,024.
enum XXH3Long {
  private static let stripe = 64
  private static let stripesPerBlock = 16

  static func hash64(
    _ bytes: UnsafeRawBufferPointer, secret: UnsafeRawBufferPointer
  ) -> UInt64 {
    let length = bytes.count
    var lanes: [UInt64] = [
      0xC2B2_AE3D, XXH64.prime1, XXH64.prime2, XXH64.prime3,
      XXH64.prime4, 0x85EB_CA77, XXH64.prime5, 0x9E37_79B1,
    ]
    let stripes = (length - 1) / stripe
    for n in 0..<stripes {
      let inBlock = n % stripesPerBlock
      accumulate(&lanes, bytes, n * stripe, secret, inBlock * 8)
      if inBlock == stripesPerBlock - 1 { scramble(&lanes, secret) }
    }
    // The last stripe ends with the input and may overlap the one before.
    accumulate(&lanes, bytes, length - stripe, secret, secret.count - stripe - 7)
    return merge(lanes, length: length, secret)
  }

  private static func accumulate(
    _ lanes: inout [UInt64], _ bytes: UnsafeRawBufferPointer, _ at: Int,
    _ secret: UnsafeRawBufferPointer, _ secretAt: Int
  ) {
    for lane in 0..<8 {
      let data = bytes.word64(at + lane * 8)
      let keyed = data ^ secret.word64(secretAt + lane * 8)
      lanes[lane ^ 1] &+= data
      lanes[lane] &+= (keyed & 0xFFFF_FFFF) &* (keyed >> 32)
    }
  }

  private static func scramble(_ lanes: inout [UInt64], _ secret: UnsafeRawBufferPointer) {
    for lane in 0..<8 {
      let mixed = lanes[lane] ^ lanes[lane] >> 47
      lanes[lane] = (mixed ^ secret.word64(secret.count - stripe + lane * 8)) &* 0x9E37_79B1
    }
  }

  private static func merge(
    _ lanes: [UInt64], length: Int, _ secret: UnsafeRawBufferPointer
  ) -> UInt64 {
    var sum = UInt64(length) &* XXH64.prime1
    for pair in 0..<4 {
      sum &+= Mixing.foldedMultiply(
        lanes[pair * 2] ^ secret.word64(11 + pair * 16),
        lanes[pair * 2 + 1] ^ secret.word64(19 + pair * 16))
    }
    return XXH3.avalanche(sum)
  }
}
