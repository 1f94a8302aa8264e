/// How the arrays of a file find their places in a network, and what a load may leave undone; by default everything must
/// fit.
public struct LoadOptions: Hashable, Sendable, Codable {
  /// How layers of a file and of a network find each other.
  public enum Matching: String, Hashable, Sendable, Codable {
    /// By their names where all of them fit, else by Keras's order of layers where all shapes fit.
    case automatic
    /// By their names alone.
    case names
    /// By Keras's order of layers alone.
    case order
    /// By the shapes of their arrays, equal ones in the order of the file.
    ///
    /// The way for a model of a class of its own: neither names nor order say where its layers belong, but a family that
    /// is named finds its layers among them, provided that no other layer could be meant.
    case shapes
  }

  /// What may be left undone.
  public struct Tolerance: OptionSet, Hashable, Sendable, Codable {
    /// The tolerances as bits.
    public var rawValue: Int

    /// Tolerances from their bits.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Parameters may be missing in the file; they get no value.
    public static let missing = Tolerance(rawValue: 1)
    /// The file may hold arrays that belong to no parameter.
    public static let unused = Tolerance(rawValue: 2)
    /// Arrays of other shapes are passed over; their parameters get no value.
    public static let mismatched = Tolerance(rawValue: 4)
  }

  /// Which way round a backend of Keras applied kernels.
  public enum KernelOrientation: String, Hashable, Sendable, Codable {
    /// As they are stored, as TensorFlow does.
    case correlation
    /// Turned by 180 degrees, as Theano did.
    case convolution
  }

  /// How layers find each other.
  public var matching: Matching
  /// What may be left undone.
  public var tolerance: Tolerance
  /// Known classes of Keras by the names of custom classes that are nothing but renamed ones.
  public var knownClasses: [String: String] = [:]
  /// Which way round the file's kernels are; nil takes what the file says.
  public var kernelOrientation: KernelOrientation?

  /// Options; by default everything must fit.
  public init(matching: Matching = .automatic, tolerance: Tolerance = []) {
    self.matching = matching
    self.tolerance = tolerance
  }

  /// Everything must fit.
  public static let strict = LoadOptions()
  /// By names alone, as Keras does it: what only one side knows is passed over, but shapes must be equal.
  public static let byName = LoadOptions(matching: .names, tolerance: [.missing, .unused])
  /// By Keras's order of layers alone; everything must fit.
  public static let topological = LoadOptions(matching: .order)
  /// By shapes, for a model of a class of its own; the network must be filled, the file may hold more.
  public static let byShape = LoadOptions(matching: .shapes, tolerance: .unused)
  /// Parameters may be missing in the file.
  public static let allowMissing = LoadOptions(tolerance: .missing)
  /// The file may hold more than the network needs.
  public static let allowUnused = LoadOptions(tolerance: .unused)
  /// Arrays of other shapes are passed over.
  public static let skipMismatched = LoadOptions(tolerance: .mismatched)
  /// Take what fits by name and leave the rest; the report says what that was.
  public static let partial = LoadOptions(matching: .names, tolerance: [.missing, .unused, .mismatched])
}
