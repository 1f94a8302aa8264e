import Engine

/// What pipelines keep in a run, and the little of it that they keep in a rehearsal.
@EngineActor
struct KeptFeatures {
  @EngineActor private struct Entry {
    let pipeline: FeaturePipeline
    /// How many pictures' features a run keeps.
    let count: Int
    /// How many of them the rehearsal keeps, in memory.
    var thereCount: Int
    /// What a run keeps in memory, in bytes; the rest is in a file.
    let memoryByteCount: Int

    var byteCount: Int { count * pipeline.rowByteCount }
  }

  /// The bytes that a run may keep in memory.
  private let memoryBudget: Int
  private var entries: [ObjectIdentifier: Entry] = [:]

  /// Nothing yet.
  init(memoryBudget: Int) { self.memoryBudget = memoryBudget }

  /// Whether features are kept behind a pipeline: in a run those of all pictures.
  func holds(_ pipeline: FeaturePipeline) -> Bool {
    pipeline.keepsFeatures && entries[ObjectIdentifier(pipeline)] != nil
  }

  /// Takes note of what a run keeps behind a pipeline, and behind others on the way as far as memory has room.
  ///
  /// - Parameters:
  ///   - count: The pictures of the run.
  ///   - there: Those whose features the rehearsal is about to keep.
  /// - Returns: The pipelines that keep features, that one first; none where it has no room.
  mutating func reserve(
    _ pipeline: FeaturePipeline, alongWith others: [FeaturePipeline], count: Int, ofWhichAreThere there: Int
  ) -> [FeaturePipeline] {
    if holds(pipeline), var entry = entries[ObjectIdentifier(pipeline)] {
      entry.thereCount = max(entry.thereCount, there)
      entries[ObjectIdentifier(pipeline)] = entry
      return [pipeline]
    }
    var rest = max(0, memoryBudget - memoryByteCount)
    var result: [FeaturePipeline] = []
    for one in [pipeline] + others.filter({ !$0.keepsFeatures }) {
      let share = one.memoryShare(rowCount: count, budget: rest, hasFolder: one === pipeline)
      guard let share else {
        if one === pipeline { return [] }
        continue
      }
      rest -= share
      entries[ObjectIdentifier(one)] = Entry(
        pipeline: one, count: count, thereCount: there, memoryByteCount: share)
      result.append(one)
    }
    return result
  }

  /// What a run keeps in memory.
  var memoryByteCount: Int { present.reduce(0) { $0 + $1.memoryByteCount } }

  /// What the rehearsal keeps in memory.
  var thereByteCount: Int { present.reduce(0) { $0 + $1.thereCount * $1.pipeline.rowByteCount } }

  /// What a run keeps behind one pipeline, in bytes, and where; nil for nothing.
  func place(of pipeline: FeaturePipeline) -> (byteCount: Int, place: Forecast.FeaturePlace)? {
    guard holds(pipeline), let entry = entries[ObjectIdentifier(pipeline)] else { return nil }
    return (entry.byteCount, entry.memoryByteCount < entry.byteCount ? .file : .memory)
  }

  /// Of pipelines that have not forgotten what they kept.
  private var present: [Entry] { entries.values.filter { $0.pipeline.keepsFeatures } }
}
