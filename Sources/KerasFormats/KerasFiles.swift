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
  /// - Throws: ``WeightError``.
  public static func read(
    _ path: String, inputSize: Size2D? = nil, options: LoadOptions = .strict
  ) throws(WeightError) -> KerasModelFile {
    do throws(WeightError) {
      let file = try OpenKerasFile(path)
      let (model, architecture) = try file.architecture(inputSize: inputSize, options: options)
      let (weights, report) = try file.weights(for: architecture.graph, model, options: options)
      return KerasModelFile(architecture: architecture, weights: weights, report: report)
    } catch {
      throw error.inFile(path)
    }
  }

  /// Reads the network of a whole-model file and leaves its weights where they are.
  ///
  /// - Throws: ``WeightError``.
  public static func readArchitecture(
    _ path: String, inputSize: Size2D? = nil, options: LoadOptions = .strict
  ) throws(WeightError) -> KerasArchitecture {
    do throws(WeightError) {
      let file = try OpenKerasFile(path, needsWeights: false)
      return try file.architecture(inputSize: inputSize, options: options).architecture
    } catch {
      throw error.inFile(path)
    }
  }

  /// Reads the weights of any file of Keras into a network that is there already.
  ///
  /// Unless the options say otherwise, layers are matched by name; where the names differ, by Keras's own order of layers,
  /// provided that every shape then fits.
  ///
  /// - Throws: ``WeightError``.
  public static func loadWeights(
    _ path: String, into graph: Graph, options: LoadOptions = .strict
  ) throws(WeightError) -> (weights: Weights, report: LoadReport) {
    do throws(WeightError) {
      return try OpenKerasFile(path).weights(for: graph, ModelNester.description(of: graph), options: options)
    } catch {
      throw error.inFile(path)
    }
  }

  /// Says what would become of the weights of a whole-model file if it were read; no array is.
  ///
  /// What does not fit is in the report and no error.
  ///
  /// - Throws: ``WeightError``.
  public static func matchWeights(
    of path: String, inputSize: Size2D? = nil, options: LoadOptions = .strict
  ) throws(WeightError) -> LoadReport {
    do throws(WeightError) {
      let file = try OpenKerasFile(path)
      let (model, architecture) = try file.architecture(inputSize: inputSize, options: options)
      return try file.plan(for: architecture.graph, model, options: options).report
    } catch {
      throw error.inFile(path)
    }
  }

  /// The document that Graft adds to its files, byte for byte; nil if the file has none.
  ///
  /// - Throws: ``WeightError``.
  public static func graftDocument(of path: String) throws(WeightError) -> [UInt8]? {
    do throws(WeightError) {
      return try OpenKerasFile(path, needsWeights: false).graftDocument
    } catch {
      throw error.inFile(path)
    }
  }

  /// The kind of a file, told by its contents.
  ///
  /// - Throws: ``WeightError``.
  public static func format(of path: String) throws(WeightError) -> KerasFormat {
    do throws(WeightError) {
      return try OpenKerasFile(path, needsWeights: false).format
    } catch {
      throw error.inFile(path)
    }
  }
}
