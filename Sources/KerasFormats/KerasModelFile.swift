import Graphs

/// What a file of Keras says about a network, without its weights.
public struct KerasArchitecture: Hashable, Sendable {
  /// The network.
  public var graph: Graph
  /// The layers with parameters that the file says are frozen.
  public var frozenLayers: Set<String>
  /// The version of Keras that wrote the file, if it says so.
  public var kerasVersion: String?
  /// The kind of file.
  public var format: KerasFormat
  /// The document that Graft adds to its files, byte for byte.
  public var graftDocument: [UInt8]?
  /// What else lies in the file and is not read, such as the state of an optimizer.
  public var otherContents: [String]
}

/// A network with its weights as they lay in a file.
public struct KerasModelFile: Sendable {
  /// What the file says about the network.
  public var architecture: KerasArchitecture
  /// The weights, as single-precision numbers.
  public var weights: Weights
  /// What became of the arrays in the file.
  public var report: LoadReport

  /// The network.
  public var graph: Graph { architecture.graph }
}
