import CKernels

/// Pieces of work that do not know each other, shared out among the threads once and for all.
///
/// All threads come together once instead of after each piece, and what a piece does in several passes finds its numbers in
/// the cache of its thread.
package final class SharedWork {
  private let shares: [[Int]]
  private let body: (_ piece: Int) -> Void

  /// Work that runs whenever it is told to.
  ///
  /// - Parameters:
  ///   - counts: How many numbers each piece goes through.
  ///   - body: Does one piece, on the thread that calls it; several are done at the same time.
  @EngineActor package init(_ counts: [Int], body: @escaping (_ piece: Int) -> Void) {
    let worthAThread = 1 << 15
    let threadCount = min(EngineThreads.use(0), counts.reduce(0, +) / worthAThread)
    shares = counts.indices.shared(among: max(1, threadCount)) { counts[$0] }
    self.body = body
  }

  /// Does all pieces, and comes back when all are done.
  @EngineActor package func run() {
    guard shares.count > 1 else { return work(0) }
    graft_run_lanes(
      Int32(shares.count),
      { work, index in
        guard let work else { return }
        Unmanaged<SharedWork>.fromOpaque(work).takeUnretainedValue().work(Int(index))
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  private func work(_ share: Int) {
    for piece in shares[share] { body(piece) }
  }
}

extension Collection {
  /// The elements for each of some threads, about as much work for one as for another.
  func shared(among threadCount: Int, by count: (Element) -> Int) -> [[Element]] {
    var shares = [(count: Int, work: [Element])](repeating: (0, []), count: threadCount)
    for element in sorted(by: { count($0) > count($1) }) {
      guard let least = shares.indices.min(by: { shares[$0].count < shares[$1].count }) else { break }
      shares[least].count += count(element)
      shares[least].work.append(element)
    }
    return shares.map(\.work)
  }
}
