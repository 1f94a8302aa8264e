import Graphs
import HDF5Files
import KerasFormats
import Tensors

/// Everything that can be asked of one file.
struct Attempt {
  /// The damaged file.
  let path: String
  /// A network that the undamaged file's weights fit, for files without one.
  let graph: Graph?
  /// Where the file is read.
  let mode: ReadingMode

  /// What came of it.
  enum Outcome: Hashable {
    /// Everything was read: the damage hit nothing that matters.
    case read
    /// An error with a sentence.
    case refused
    /// An error with a sentence about a reader that crashed or hung.
    case stopped
  }

  /// Describes the file and loads all of it.
  func run() -> Outcome {
    let outcomes = [attempt(describe), attempt(load)] + (mode == .inProcess ? [attempt(walk)] : [])
    if outcomes.contains(.stopped) { return .stopped }
    return outcomes.contains(.refused) ? .refused : .read
  }

  private func attempt(_ body: () throws -> Void) -> Outcome {
    do {
      try body()
      return .read
    } catch let error as WeightError {
      check("\(error)")
      return error.code == .readerStopped ? .stopped : .refused
    } catch {
      check("\(error)")
      return .refused
    }
  }

  /// A sentence names the file, and a terminal may show it.
  private func check(_ sentence: String) {
    precondition(sentence.contains(path), "an error does not name its file: \(sentence)")
    precondition(
      !sentence.unicodeScalars.contains { $0.properties.generalCategory == .control },
      "an error holds control characters: \(sentence.debugDescription)")
  }

  private func describe() throws {
    let file = try KerasFile(path, mode: mode, wanted: .description)
    if file.format == .wholeModelH5 || file.format == .keras { _ = try file.architecture() }
  }

  private func load() throws {
    let file = try KerasFile(path, mode: mode)
    if file.format == .wholeModelH5 || file.format == .keras {
      _ = try file.read()
    } else if let graph {
      _ = try file.loadWeights(into: graph)
    }
  }

  /// Reads whatever lies in an HDF5 file, whether or not Keras would look at it.
  private func walk() throws {
    let root = try HDF5File(readingFrom: path).root
    readAll(root.attributes)
    for member in try root.tree() {
      if member.kind == .group, let group = try? root.group(member.path) { readAll(group.attributes) }
      if member.kind == .dataset, let dataset = try? root.dataset(member.path) {
        readAll(dataset.attributes)
        _ = try? dataset.read()
        _ = try? dataset.readStrings()
      }
    }
  }

  private func readAll(_ attributes: HDF5Attributes) {
    for name in (try? attributes.names()) ?? [] { _ = try? attributes[name] }
  }
}
