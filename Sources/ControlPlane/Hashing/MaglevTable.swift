/// Maglev's table: members take turns to claim the next free place of their own permutation, until
/// every place is claimed. (Eisenbud and others, NSDI 2016, pseudocode 1.)
public enum MaglevTable {
  /// The member at each place.
  /// - Parameters:
  ///   - permutations: by member, each with all places once, in the order of its preference.
  ///   - dead: members that claim nothing.
  /// - Complexity: O(M log M) expected for M places.
  public static func populate(permutations: [[Int]], dead: [Int] = []) -> [Int] {
    let size = permutations.first?.count ?? 0
    let living = permutations.indices.filter { !dead.contains($0) }
    var table = [Int](repeating: -1, count: size)
    guard !living.isEmpty else { return table }
    var next = [Int](repeating: 0, count: permutations.count)
    var claimed = 0
    while claimed < size {
      for member in living where claimed < size {
        while table[permutations[member][next[member]]] >= 0 { next[member] += 1 }
        table[permutations[member][next[member]]] = member
        next[member] += 1
        claimed += 1
      }
    }
    return table
  }
}

/// Consistent hashing with bounded loads: nobody carries more than a factor of its share. (Mirrokni
/// and others, 2016; the integer rule is Envoy's.)
public enum BoundedLoad {
  /// Requests that all hosts together may carry when one more comes, at a balance factor in
  /// percent.
  public static func totalSlots(active: Int, balanceFactorPercent: Int) -> Int {
    ((active + 1) * balanceFactorPercent + 99) / 100
  }

  /// Those of a host with a share of the weight; at least one.
  public static func slots(of weight: Double, total: Int) -> Int {
    max(Int((Double(total) * weight).rounded(.up)), 1)
  }

  public static func isOverloaded(active: Int, slots: Int) -> Bool { active > slots }
}
