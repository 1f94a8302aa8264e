import Graphs

/// Work that brings a plan's own copy of parameters up to date.
struct Pack {
  let paths: [ParameterPath]
  /// What it does, on all threads.
  let body: @EngineActor () -> Void
}

/// Work that brings one kernel to where a loop of our own reads it, whatever else is being packed.
struct TablePack {
  let paths: [ParameterPath]
  /// How many numbers it writes.
  let count: Int
  /// What it does, on the thread that calls it.
  let body: () -> Void
}

/// A plan's own copies of parameters, each of which is made anew when what it is made from has changed.
@EngineActor final class Packing {
  private let packs: [Pack]
  private let tables: [TablePack]
  /// The newest of what each was made from at the time, on the bank's clock.
  private var versions: [Int]
  private var tableVersions: [Int]
  private var seenVersion = 0
  /// Which tables are to be made now.
  private let due: Due
  private let sharedTables: SharedWork

  /// What other threads look at meanwhile.
  private final class Due {
    var isDue: [Bool]
    init(count: Int) { isDue = Array(repeating: false, count: count) }
  }

  init(_ packs: [Pack], tables: [TablePack]) {
    self.packs = packs
    self.tables = tables
    versions = Array(repeating: 0, count: packs.count)
    tableVersions = Array(repeating: 0, count: tables.count)
    let due = Due(count: tables.count)
    self.due = due
    sharedTables = SharedWork(tables.map(\.count)) { if due.isDue[$0] { tables[$0].body() } }
  }

  /// Makes those copies anew whose parameters have changed.
  func refresh(from parameters: ParameterBank) {
    guard parameters.version != seenVersion else { return }
    for (index, pack) in packs.enumerated() where pass(&versions[index], to: pack.paths, of: parameters) { pack.body() }
    // What the normalisations' factors are was among those.
    for (index, table) in tables.enumerated() {
      due.isDue[index] = pass(&tableVersions[index], to: table.paths, of: parameters)
    }
    sharedTables.run()
    seenVersion = parameters.version
  }

  /// Goes on to the newest of some parameters; false where that is no news.
  private func pass(_ version: inout Int, to paths: [ParameterPath], of parameters: ParameterBank) -> Bool {
    var newest = 1
    for path in paths { newest = max(newest, parameters.version(of: path)) }
    guard newest != version else { return false }
    version = newest
    return true
  }
}
