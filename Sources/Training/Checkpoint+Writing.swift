import Engine
import Foundation
import Graphs
import HDF5Files
import Tensors

extension Checkpoint {
  /// Writes a checkpoint of where a run stands, whole or not at all; the one before it is kept under its own name.
  ///
  /// The arrays are copied one after the other, so that a checkpoint takes no more memory than its file.
  ///
  /// - Throws: ``TrainingError`` with code `outputUnwritable`, `HDF5Error`.
  @EngineActor package static func write(_ state: RunState, origin: Origin, to folder: RunFolder) throws {
    try withContents(of: state, origin: origin, name: folder[.checkpoint]) { contents in
      let seal = CheckpointSeal.bytes(over: contents)
      try seal.withUnsafeBytes { seal in
        try folder.write([contents, seal], to: .checkpoint, keeping: .previousCheckpoint)
      }
    }
  }

  /// Calls `use` with what a checkpoint of where a run stands holds, but for its seal.
  @EngineActor static func withContents<Result>(
    of state: RunState, origin: Origin, name: String, _ use: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    let optimizer = state.optimizer
    let head = Head(
      origin: origin, progress: state.progress,
      sections: Dictionary(
        uniqueKeysWithValues: RunState.Section.allCases.map { section in
          (section.rawValue, state.arrays(of: section).map(\.path.description))
        }),
      optimizer: Dictionary(uniqueKeysWithValues: optimizer.stepCounts.map { ($0.description, $1) }))
    let text = String(decoding: try JSONEncoder.ofCheckpoints.encode(head), as: UTF8.self)
    return try HDF5File.withBytes(name: name) { root in
      try root.attributes.set(.string(text), named: "state")
      for section in RunState.Section.allCases {
        for (path, copy) in state.arrays(of: section) {
          if let tensor = copy() { try root.write(tensor, named: "\(section.rawValue)/\(path)") }
        }
      }
      for path in optimizer.stepCounts.keys.sorted() {
        guard let kept = optimizer.moments(of: path) else { continue }
        for (name, keyPath) in momentNames {
          if let tensor = kept[keyPath: keyPath] { try root.write(tensor, named: "optimizer/\(path)/\(name)") }
        }
      }
    } _: {
      try use($0)
    }
  }
}
