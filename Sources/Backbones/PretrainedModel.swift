import Graphs

/// A weight file that a manifest describes.
public struct PretrainedModel: Hashable, Sendable {
  /// The name by which it is asked for: `efficientnet-lite0`.
  public var name: String
  /// The name of its family: `EfficientNetLite0`.
  public var family: String
  /// One sentence about it.
  public var summary: String?
  /// The file, beside the manifest.
  public var file: String
  /// The SHA-256 of the file's bytes, in hexadecimal digits.
  public var sha256: String
  /// How many numbers it holds that could train: without the statistics of its normalisations.
  public var parameterCount: Int
  /// The size of the pictures that it was trained on.
  public var inputSize: Size2D
  /// What happens to an RGB picture of 0…255 before the file's first layer.
  public var preprocessing: Preprocessing
  /// The stages from input to output, each with its last layer.
  public var stageEnds: [StageEnd]
  /// The layers of its classifier, which a new head replaces.
  public var headLayers: [String]
  /// How many classes its classifier has.
  public var classCount: Int?
  /// The file with a class name a line, beside the manifest.
  public var classNamesFile: String?
  /// The licence of the weights.
  public var licence: String
  /// Whose copyright the licence names.
  public var copyright: String?
  /// The package that the weights come from.
  public var source: Source

  /// The end of a stage.
  public struct StageEnd: Hashable, Sendable, Codable {
    /// The stage's name.
    public var name: String
    /// Its last layer.
    public var lastLayer: String
  }

  /// Where weights come from.
  public struct Source: Hashable, Sendable, Codable {
    /// The package.
    public var package: String
    /// The package's version.
    public var version: String
    /// The licence that the package states.
    public var licence: String
  }
}

extension PretrainedModel: Codable {
  private enum CodingKeys: String, CodingKey {
    case name
    case family
    case summary = "description"
    case file
    case sha256
    case parameterCount
    case inputSize
    case preprocessing
    case stages
    case head
    case classCount
    case classNames
    case licence
    case copyright
    case source
  }

  private struct InputSize: Codable {
    var height: Int
    var width: Int
  }

  private struct PreprocessingNote: Codable {
    var insideModel: Bool
    var mode: Preprocessing?
  }

  private struct HeadNote: Codable {
    var layers: [String]
  }

  private struct ClassNamesNote: Codable {
    var file: String
  }

  /// Reads an entry of a manifest; keys that are only for people are passed over.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    name = try values.decode(String.self, forKey: .name)
    family = try values.decode(String.self, forKey: .family)
    summary = try values.decodeIfPresent(String.self, forKey: .summary)
    file = try values.decode(String.self, forKey: .file)
    sha256 = try values.decode(String.self, forKey: .sha256)
    parameterCount = try values.decode(Int.self, forKey: .parameterCount)
    let size = try values.decode(InputSize.self, forKey: .inputSize)
    inputSize = Size2D(size.height, size.width)
    let note = try values.decode(PreprocessingNote.self, forKey: .preprocessing)
    guard note.insideModel || note.mode != nil else {
      throw BackboneError(
        .unreadableManifest, subject: name, detail: "its preprocessing is neither inside the model nor has a mode")
    }
    preprocessing = note.insideModel ? .insideModel : note.mode ?? .insideModel
    stageEnds = try values.decode([StageEnd].self, forKey: .stages)
    headLayers = try values.decodeIfPresent(HeadNote.self, forKey: .head)?.layers ?? []
    classCount = try values.decodeIfPresent(Int.self, forKey: .classCount)
    classNamesFile = try values.decodeIfPresent(ClassNamesNote.self, forKey: .classNames)?.file
    licence = try values.decode(String.self, forKey: .licence)
    copyright = try values.decodeIfPresent(String.self, forKey: .copyright)
    source = try values.decode(Source.self, forKey: .source)
    for path in [file, classNamesFile].compactMap({ $0 }) where path.contains("/") || path.isEmpty || path == ".." {
      throw BackboneError(
        .unreadableManifest, subject: name, detail: "expected a file beside the manifest, found \(path)")
    }
  }

  /// Writes the entry as a manifest has it.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .name)
    try values.encode(family, forKey: .family)
    try values.encodeIfPresent(summary, forKey: .summary)
    try values.encode(file, forKey: .file)
    try values.encode(sha256, forKey: .sha256)
    try values.encode(parameterCount, forKey: .parameterCount)
    try values.encode(InputSize(height: inputSize.height, width: inputSize.width), forKey: .inputSize)
    let isInside = preprocessing == .insideModel
    try values.encode(
      PreprocessingNote(insideModel: isInside, mode: isInside ? nil : preprocessing), forKey: .preprocessing)
    try values.encode(stageEnds, forKey: .stages)
    try values.encode(HeadNote(layers: headLayers), forKey: .head)
    try values.encodeIfPresent(classCount, forKey: .classCount)
    try values.encodeIfPresent(classNamesFile.map(ClassNamesNote.init), forKey: .classNames)
    try values.encode(licence, forKey: .licence)
    try values.encodeIfPresent(copyright, forKey: .copyright)
    try values.encode(source, forKey: .source)
  }
}
