import Graphs
import HDF5Files

extension KerasContents {
  /// Has a file read in a process of its own.
  ///
  /// - Throws: ``WeightError``, with `readerStopped` where the file does to its reader what no sound file does.
  init(isolated path: String, inputSize: Size2D?, wanted: KerasFile.Contents) throws(WeightError) {
    let file = try readingHDF5 { () throws(HDF5Error) in try OpenedFile(path) }
    if case .json = try FileKind(of: file) {
      // The index is text that is taken apart here; each part has a reader of its own.
      var parts: [StoredWeights] = []
      for part in try ShardIndex(readingFrom: path).parts {
        let contents = try KerasContents(isolated: part, inputSize: nil, wanted: wanted)
        guard contents.format == .weightsH5 else {
          throw WeightError(.damaged, file: part, detail: "is no part of a weights file")
        }
        parts.append(contents.weights)
      }
      self.init(format: .weightsH5, otherMembers: [], weights: StoredWeights(joining: parts))
      return
    }
    let wantsNumbers = wanted == .everything
    let limits = ReaderLimits(fileByteCount: file.byteCount)
    let reader = try readingHDF5 { () throws(HDF5Error) in
      try ReaderProcess(file, program: try .found(for: path), limits: limits)
    }
    var order = MessageWriter()
    ReaderOrder(
      name: path, limits: limits, inputSize: inputSize, wantsLayers: wanted != .description, wantsNumbers: wantsNumbers
    ).write(to: &order)
    try readingHDF5 { () throws(HDF5Error) in try reader.send(order.bytes) }
    var answer = try Self.answer(of: reader)
    guard wantsNumbers else {
      try self.init(from: &answer, sharing: nil)
      return
    }
    try self.init(from: &answer) { byteCount throws(WeightError) in
      let memory = try readingHDF5 { () throws(HDF5Error) in
        let memory = try reader.share(byteCount: byteCount)
        try reader.send([])
        return memory
      }
      let done = try Self.answer(of: reader)
      do throws(MessageFailure) { try done.finish() } catch { throw Self.nonsense }
      // From here on nobody else writes there.
      reader.end()
      return memory
    }
  }

  /// What the reader says, behind the word that all is well.
  ///
  /// - Throws: ``WeightError``, that of the reader among them.
  private static func answer(of reader: ReaderProcess) throws(WeightError) -> MessageReader {
    let bytes = try readingHDF5 { () throws(HDF5Error) in
      try reader.receive(maximumByteCount: maximumMessageByteCount + 64)
    }
    var message = MessageReader(bytes)
    let failure: WeightError
    do throws(MessageFailure) {
      guard try message.number(in: 0...1) == 1 else { return message }
      failure = try WeightError(from: &message)
    } catch {
      throw nonsense
    }
    throw failure
  }

  private static let nonsense = WeightError(
    .readerStopped, detail: "made its reader talk nonsense, so it is damaged or hostile")
}
