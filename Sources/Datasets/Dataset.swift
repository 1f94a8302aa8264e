import Digests
import Foundation

/// Labelled pictures: the tasks, the samples in a fixed order, and where the files lie.
///
/// A data set is a value that describes; no picture is opened until it is decoded.
public struct Dataset: Hashable, Sendable {
  /// The folder that the samples' paths are relative to.
  public let root: String
  /// The tasks that the samples carry labels of.
  public let tasks: [LabelSet]
  /// The samples, by the bytes of their paths.
  public let samples: [Sample]
  /// What was passed over while reading, a sentence each, for the user to see.
  public let notes: [String]

  /// A data set of samples that have a label or nil for every task.
  public init(root: String, tasks: [LabelSet], samples: [Sample], notes: [String] = []) {
    precondition(samples.allSatisfy { $0.labels.count == tasks.count }, "every sample has one label a task")
    self.root = root
    self.tasks = tasks
    self.samples = samples
    self.notes = notes
  }

  /// Reads a folder of class folders, or a CSV manifest where the path is a file's.
  ///
  /// - Throws: ``DatasetError`` as ``folder(at:)`` and ``manifest(at:)`` do.
  public static func read(at path: String) throws(DatasetError) -> Dataset {
    FileStatus(path)?.kind == .file ? try manifest(at: path) : try folder(at: path)
  }

  /// The path under which a sample's file can be opened.
  public func file(of sample: Int) -> String {
    let path = samples[sample].path
    return path.hasPrefix("/") ? path : root + "/" + path
  }

  /// How many samples carry each class of a task.
  public func classCounts(task: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: tasks[task].classes.count)
    for sample in samples {
      if let label = sample.labels[task] { counts[label] += 1 }
    }
    return counts
  }

  /// This data set without some of its samples; the tasks and classes stay.
  public func removing(_ indices: some Collection<Int>) -> Dataset {
    let removed = Set(indices)
    let kept = samples.indices.filter { !removed.contains($0) }.map { samples[$0] }
    return Dataset(root: root, tasks: tasks, samples: kept, notes: notes)
  }

  /// A SHA-256 in hexadecimal over the tasks and every sample's path, size, labels and part.
  ///
  /// The pictures themselves are not read: a file changed without its size changing goes unseen.
  public var fingerprint: String {
    var digest = Digest()
    func add(_ text: String) {
      add(text.utf8.count)
      digest.update(text)
    }
    func add(_ number: Int) {
      withUnsafeBytes(of: UInt64(bitPattern: Int64(number)).littleEndian) { digest.update($0) }
    }
    add(tasks.count)
    for task in tasks {
      add(task.name)
      add(task.classes.count)
      for name in task.classes { add(name) }
    }
    add(samples.count)
    for sample in samples {
      add(sample.path)
      add(sample.byteCount ?? -1)
      for label in sample.labels { add(label ?? -1) }
      add(sample.part?.rawValue ?? "")
    }
    return digest.hexadecimal
  }
}
