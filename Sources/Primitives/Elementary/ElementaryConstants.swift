// Written by scripts/generate-tables.py; do not edit.

enum ElementaryConstants {
  /// log 2 as a multiple of 2⁻⁴², and the rest.
  static let ln2High: Double = 0x1.62e42fefa3800p-1
  static let ln2Low: Double = 0x1.ef35793c76730p-45
  /// (log 2) / 128 as a multiple of 2⁻⁴², and the rest.
  static let ln2Over128High: Double = 0x1.62e42fefc0000p-8
  static let ln2Over128Low: Double = -0x1.c610ca86c3899p-44
  /// 128 / log 2.
  static let inverseLn2Times128: Double = 0x1.71547652b82fep+7
  /// 2 / π.
  static let twoOverPi: Double = 0x1.45f306dc9c883p-1
  /// π / 2 in four parts; the first three have at most 33 bits.
  static let halfPi1: Double = 0x1.921fb54400000p+0
  static let halfPi2: Double = 0x1.0b4611a600000p-34
  static let halfPi3: Double = 0x1.3198a2e000000p-69
  static let halfPi4: Double = 0x1.b839a252049c1p-104
  /// π / 2 as the sum of two doubles.
  static let halfPiHigh: Double = 0x1.921fb54442d18p+0
  static let halfPiLow: Double = 0x1.1a62633145c07p-54
  /// log(2π) / 2.
  static let halfLogTwoPi: Double = 0x1.d67f1c864beb5p-1
  /// A word of zeros, then the first 1,216 binary digits of 2 / π behind the point.
  static let twoOverPiWords: InlineArray<20, UInt64> = [
    0x0000_0000_0000_0000, 0xA2F9_836E_4E44_1529, 0xFC27_57D1_F534_DDC0, 0xDB62_9599_3C43_9041,
    0xFE51_63AB_DEBB_C561, 0xB724_6E3A_424D_D2E0, 0x0649_2EEA_09D1_921C, 0xFE1D_EB1C_B129_A73E,
    0xE882_35F5_2EBB_4484, 0xE99C_7026_B45F_7E41, 0x3991_D639_8353_39F4, 0x9C84_5F8B_BDF9_283B,
    0x1FF8_97FF_DE05_980F, 0xEF2F_118B_5A0A_6D1F, 0x6D36_7ECF_27CB_09B7, 0x4F46_3F66_9E5F_EA2D,
    0x7527_BAC7_EBE5_F17B, 0x3D07_39F7_8A52_92EA, 0x6BFB_5FB1_1F8D_5D08, 0x5603_3046_FC7B_6BAB,
  ]
}
