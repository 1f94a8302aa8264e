import Graphs
import HDF5Files

extension KerasContents {
  /// Has a file read in a process of its own.
  ///
  /// - Throws: ``WeightError``, with `readerStopped` where the file does to its reader what no sound file does.
  init(isolated path: String, inputSize: Size2D?, wanted: KerasFile.Contents) throws(WeightError) {
    let file = try readingHDF5 { () throws(HDF5Error) in try OpenedFile(path) }
    guard case .json = try FileKind(of: file) else {
      try self.init(
        isolated: file, inputSize: inputSize, wanted: wanted, limits: ReaderLimits(fileByteCount: file.byteCount))
      return
    }
    // The index is text that is taken apart here; each part has a reader of its own.
    let files = try ShardIndex(reading: file).open()
    let byteCount = files.reduce(0) { $0 + $1.byteCount }
    // Together they may hold as much as one file of their size.
    var allowance = ReaderLimits(fileByteCount: byteCount).sharedByteCount
    var parts: [(file: String, weights: StoredWeights)] = []
    for part in files {
      var limits = ReaderLimits(fileByteCount: part.byteCount)
      limits.sharedByteCount = min(limits.sharedByteCount, allowance)
      let contents = try KerasContents(isolated: part, inputSize: nil, wanted: wanted, limits: limits)
      guard contents.format == .weightsH5 else { throw ShardIndex.noPart(part.name) }
      allowance -= contents.weights.byteCount
      parts.append((part.name, contents.weights))
    }
    self.init(
      format: .weightsH5, otherMembers: [], byteCount: byteCount, weights: try StoredWeights(joining: parts))
  }

  /// Has an open file, which is no index, read in a process of its own.
  ///
  /// - Parameter textAttribute: For a file that is none of Keras, the root's attribute that holds its text.
  init(
    isolated file: OpenedFile, inputSize: Size2D?, wanted: KerasFile.Contents, limits: ReaderLimits,
    textAttribute: String? = nil
  ) throws(WeightError) {
    let path = file.name
    let wantsNumbers = wanted == .everything
    let reader = try readingHDF5 { () throws(HDF5Error) in
      try ReaderProcess(file, program: try .found(for: path), limits: limits)
    }
    var order = MessageWriter()
    ReaderOrder(
      name: path, limits: limits, inputSize: inputSize, wantsLayers: wanted != .description, wantsNumbers: wantsNumbers,
      checksNumbers: wanted == .checkedShapes, textAttribute: textAttribute
    ).write(to: &order)
    try readingHDF5 { () throws(HDF5Error) in try reader.send(order.bytes) }
    var answer = try Self.answer(of: reader)
    guard wantsNumbers else {
      try self.init(from: &answer, byteCount: file.byteCount, sharing: nil)
      return
    }
    try self.init(from: &answer, byteCount: file.byteCount) { byteCount throws(WeightError) in
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
