import Graphs
import HDF5Files

/// A file of Keras that is read once and can then be asked for several things.
public struct KerasFile {
  /// What is wanted of a file.
  public enum Contents: Hashable, Sendable {
    /// The network and whatever else is said in words, without weights.
    case description
    /// All that, and the names and shapes of the weights.
    case shapes
    /// All that, and the weights were read once and let go, so that a file that cannot be read whole is an error.
    case checkedShapes
    /// Everything.
    case everything
  }

  private let path: String
  private let file: OpenKerasFile

  /// Opens a file; in a process without rights, everything that is wanted is brought over at once.
  ///
  /// - Parameters:
  ///   - mode: Whether the file is read here or in a process without rights.
  ///   - wanted: What will be asked for.
  ///   - inputSize: The size that the network will be asked for, if one is known.
  /// - Throws: ``WeightError``.
  public init(
    _ path: String, mode: ReadingMode = .inProcess, wanted: Contents = .everything, inputSize: Size2D? = nil
  ) throws(WeightError) {
    self.path = path
    file = try naming(path) { () throws(WeightError) in
      switch mode {
      case .inProcess:
        let opened = try readingHDF5 { () throws(HDF5Error) in try OpenedFile(path) }
        let file = try OpenKerasFile(opened, needsWeights: wanted != .description)
        if wanted == .checkedShapes { try file.checkNumbers() }
        return file
      case .isolated:
        return OpenKerasFile(try KerasContents(isolated: path, inputSize: inputSize, wanted: wanted))
      }
    }
  }

  /// The kind of file.
  public var format: KerasFormat { file.format }

  /// The size of the file in bytes, or of all its parts.
  package var byteCount: Int { file.byteCount }

  /// The network that the file describes.
  ///
  /// - Parameter inputSize: Height and width of images where the file leaves them open.
  /// - Throws: ``WeightError``.
  public func architecture(
    inputSize: Size2D? = nil, options: LoadOptions = .strict
  ) throws(WeightError) -> KerasArchitecture {
    try naming(path) { () throws(WeightError) in
      try file.architecture(inputSize: inputSize, options: options).architecture
    }
  }

  /// The document that Graft adds to its files, byte for byte; nil if the file has none.
  public var graftDocument: [UInt8]? { file.graftDocument }

  /// Says what would become of the weights of a whole-model file if it were read; no array is.
  ///
  /// What does not fit is in the report and no error.
  ///
  /// - Throws: ``WeightError``.
  public func matchWeights(
    inputSize: Size2D? = nil, options: LoadOptions = .strict
  ) throws(WeightError) -> LoadReport {
    try fitWeights(inputSize: inputSize, options: options).report
  }

  /// Says what would become of the weights of a whole-model file if it were read, and why it could not be.
  ///
  /// - Throws: ``WeightError`` where not even that can be said.
  package func fitWeights(
    inputSize: Size2D? = nil, options: LoadOptions = .strict
  ) throws(WeightError) -> (report: LoadReport, failure: WeightError?) {
    try naming(path) { () throws(WeightError) in
      let (model, architecture) = try file.architecture(inputSize: inputSize, options: options)
      let plan = try file.plan(for: architecture.graph, model, options: options)
      do throws(WeightError) {
        try plan.check(against: options)
      } catch {
        return (plan.report, error.inFile(path))
      }
      return (plan.report, nil)
    }
  }

  /// The network with its weights.
  ///
  /// - Throws: ``WeightError``.
  public func read(
    inputSize: Size2D? = nil, options: LoadOptions = .strict
  ) throws(WeightError) -> KerasModelFile {
    try naming(path) { () throws(WeightError) in
      let (model, architecture) = try file.architecture(inputSize: inputSize, options: options)
      let (weights, report) = try file.weights(for: architecture.graph, model, options: options)
      return KerasModelFile(architecture: architecture, weights: weights, report: report)
    }
  }

  /// The weights of the file, each at its place in a network that is there already.
  ///
  /// - Throws: ``WeightError``.
  public func loadWeights(
    into graph: Graph, options: LoadOptions = .strict
  ) throws(WeightError) -> (weights: Weights, report: LoadReport) {
    try naming(path) { () throws(WeightError) in
      try file.weights(for: graph, ModelNester.description(of: graph), options: options)
    }
  }
}

/// Runs a body whose errors are about a file.
func naming<Result>(
  _ path: String, _ body: () throws(WeightError) -> Result
) throws(WeightError) -> Result {
  do throws(WeightError) {
    return try body()
  } catch {
    throw error.inFile(path)
  }
}
