import Foundation
import Graphs

extension RunFolder {
  /// What the run in the folder has come to; nil where it is not at its end, or its result or model cannot be used.
  public func finishedResult() -> RunResult? {
    guard holds(.model), let bytes = FileManager.default.contents(atPath: self[.result]) else { return nil }
    return try? JSONDecoder().decode(RunResult.self, from: bytes)
  }

  /// The newest checkpoint that is what was written; nil where the run has to begin anew.
  ///
  /// A damaged checkpoint is removed, so that no later one keeps it as the one before.
  ///
  /// - Parameters:
  ///   - read: Reads a file whose seal has been checked.
  ///   - notes: Told in a sentence of every checkpoint that cannot be used, and where there is none.
  /// - Throws: ``TrainingError`` with code `unfitCheckpoint` where a sound one is not that of this network, and
  ///   `outputUnwritable`.
  package func newestCheckpoint(
    graph: Graph, by read: (String) throws -> Checkpoint.Contents, notes: (String) -> Void
  ) throws(TrainingError) -> Checkpoint? {
    var isDamaged = false
    for file in [File.checkpoint, .previousCheckpoint] where holds(file) {
      do throws(TrainingError) {
        let checkpoint = try Checkpoint(readingFrom: self[file], graph: graph, by: read)
        if file == .previousCheckpoint {
          if isDamaged { notes("\(self[file]): the run goes on from this one, which was written before") }
          guard rename(self[file], self[.checkpoint]) == 0 else { throw unwritable(self[.checkpoint], errno) }
        }
        return checkpoint
      } catch  where error.code == .damagedCheckpoint {
        notes("\(error)")
        isDamaged = true
      }
    }
    notes("\(path): no checkpoint is \(isDamaged ? "left" : "there"), so the run begins anew")
    if isDamaged {
      for file in [File.previousCheckpoint, .checkpoint] where unlink(self[file]) != 0 && errno != ENOENT {
        throw unwritable(self[file], errno)
      }
    }
    return nil
  }
}

extension Checkpoint {
  /// Checks that a checkpoint was begun with the same choices and samples.
  ///
  /// - Throws: ``TrainingError`` with code `runChanged`.
  func check(configuration: String, data: String, in folder: RunFolder) throws(TrainingError) {
    guard origin.configuration == configuration else {
      throw TrainingError(
        .runChanged, subject: folder[.configuration],
        detail: "has been changed since the run began, and a run goes on only as it began; "
          + "a new one with these options is begun by --config")
    }
    guard origin.data == data else {
      throw TrainingError(
        .runChanged, subject: folder.path,
        detail: "the pictures, their labels or their division are not those that the run began with")
    }
  }
}
