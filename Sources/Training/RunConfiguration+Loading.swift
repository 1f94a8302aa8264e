extension RunConfiguration {
  /// How the arrays of the backbone's file find their places, and where the file is read.
  public struct Loading: Hashable, Sendable {
    /// How layers of the file and of the network find each other.
    public enum Matching: String, Hashable, Sendable, Codable {
      /// By their names where all of them fit, else by Keras's order of layers where all shapes fit.
      case automatic
      /// By their names alone.
      case names
      /// By Keras's order of layers alone.
      case order
      /// By the shapes of their arrays.
      case shapes
    }

    /// What may be left undone.
    public enum Tolerance: String, Hashable, Sendable, Codable, CaseIterable {
      /// Parameters may be missing in the file.
      case missing
      /// The file may hold arrays that belong to no parameter.
      case unused
      /// Arrays of other shapes are passed over.
      case mismatched
    }

    /// Which way round the file's kernels are.
    public enum KernelOrientation: String, Hashable, Sendable, Codable {
      /// As they are stored.
      case correlation
      /// Turned by 180 degrees.
      case convolution
    }

    /// The family that a file with weights alone belongs to, where somebody named it.
    public var family: String?
    /// How layers find each other.
    public var matching = Matching.automatic
    /// What may be left undone; everything must fit where this is empty.
    public var tolerance: [Tolerance] = []
    /// Known classes of Keras by the names of custom classes that are nothing but renamed ones.
    public var knownClasses: [String: String] = [:]
    /// Which way round the kernels are, where somebody said it.
    public var kernelOrientation: KernelOrientation?
    /// Whether the file was read without a process of its own; a record, which does not make it so again.
    public var isTrusted = false

    /// The usual loading: everything must fit, and a stranger's file is read apart.
    public init() {}
  }
}

extension RunConfiguration.Loading: Codable {
  private enum CodingKeys: String, CodingKey {
    case family
    case matching
    case tolerance
    case knownClasses
    case kernelOrientation
    case isTrusted
  }

  /// Reads what is there; what is not there is as usual.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    family = try values.decodeIfPresent(String.self, forKey: .family)
    matching = try values.decodeIfPresent(Matching.self, forKey: .matching) ?? .automatic
    tolerance = try values.decodeIfPresent([Tolerance].self, forKey: .tolerance) ?? []
    knownClasses = try values.decodeIfPresent([String: String].self, forKey: .knownClasses) ?? [:]
    kernelOrientation = try values.decodeIfPresent(KernelOrientation.self, forKey: .kernelOrientation)
    isTrusted = try values.decodeIfPresent(Bool.self, forKey: .isTrusted) ?? false
  }
}
