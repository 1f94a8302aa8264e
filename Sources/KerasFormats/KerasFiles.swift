import Graphs
import HDF5Files

/// Files with networks and weights as Keras 1, 2 and 3 write them.
public enum KerasFiles {
  /// Reads a network with its weights from a whole-model `.h5` or a `.keras` file.
  ///
  /// The kind of file is told by its contents, not by its name.
  ///
  /// Images have their channels last, also where the file's layers have them first.
  ///
  /// - Parameters:
  ///   - inputSize: Height and width of images where the file leaves them open; 224 where the caller has no wish.
  ///   - options: How arrays find their places, and what may stay undone; by default nothing.
  ///   - mode: Whether the file is read here or in a process without rights.
  /// - Throws: ``WeightError``.
  public static func read(
    _ path: String, inputSize: Size2D? = nil, options: LoadOptions = .strict, mode: ReadingMode = .inProcess
  ) throws(WeightError) -> KerasModelFile {
    try KerasFile(path, mode: mode, inputSize: inputSize).read(inputSize: inputSize, options: options)
  }

  /// Reads the network of a whole-model file and leaves its weights where they are.
  ///
  /// - Throws: ``WeightError``.
  public static func readArchitecture(
    _ path: String, inputSize: Size2D? = nil, options: LoadOptions = .strict, mode: ReadingMode = .inProcess
  ) throws(WeightError) -> KerasArchitecture {
    try KerasFile(path, mode: mode, wanted: .description, inputSize: inputSize).architecture(
      inputSize: inputSize, options: options)
  }

  /// Reads the weights of any file of Keras into a network that is there already.
  ///
  /// Unless the options say otherwise, layers are matched by name; where the names differ, by Keras's own order of layers,
  /// provided that every shape then fits.
  ///
  /// - Throws: ``WeightError``.
  public static func loadWeights(
    _ path: String, into graph: Graph, options: LoadOptions = .strict, mode: ReadingMode = .inProcess
  ) throws(WeightError) -> (weights: Weights, report: LoadReport) {
    try KerasFile(path, mode: mode).loadWeights(into: graph, options: options)
  }

  /// The kind of a file, told by its contents.
  ///
  /// - Throws: ``WeightError``.
  public static func format(of path: String, mode: ReadingMode = .inProcess) throws(WeightError) -> KerasFormat {
    try KerasFile(path, mode: mode, wanted: .description).format
  }
}
