import Datasets
import Freezing
import Tasks
import Yams

/// Everything that decides what a run does: `run.yaml`.
///
/// Running it again on the same machine with the same files repeats the run.
public struct RunConfiguration: Hashable, Sendable, Codable {
  /// Which pictures, and how they are divided.
  public struct Data: Hashable, Sendable, Codable {
    /// The folder of class folders, or the CSV manifest.
    public var path: String
    /// A SHA-256 over the samples' paths, sizes and labels; nil where it is not known yet.
    public var fingerprint: String?
    /// How samples are divided where the data does not say itself.
    public var split: SplitFractions
    /// How pictures are brought to the network's size.
    public var fit: Fit
    /// How many pictures may be unreadable: a number, or a share such as `1%`.
    public var maximumBadFiles: String
    /// How training pictures are varied.
    public var augmentation: Augmentation

    /// Pictures with the usual treatment.
    public init(
      path: String, fingerprint: String? = nil, split: SplitFractions = .standard, fit: Fit = .crop,
      maximumBadFiles: String = "1%", augmentation: Augmentation = .none
    ) {
      self.path = path
      self.fingerprint = fingerprint
      self.split = split
      self.fit = fit
      self.maximumBadFiles = maximumBadFiles
      self.augmentation = augmentation
    }
  }

  /// Which network is fine-tuned.
  public struct Backbone: Hashable, Sendable, Codable {
    /// The name of a pretrained network, or a file.
    public var source: String
    /// The file's SHA-256; nil where it is not known yet.
    public var sha256: String?
    /// Height and width of the pictures that go in.
    public var imageSize: Int
    /// The share of features that the heads drop while training.
    public var dropout: Float

    /// A network for square pictures of a size.
    public init(source: String, sha256: String? = nil, imageSize: Int, dropout: Float = 0.2) {
      self.source = source
      self.sha256 = sha256
      self.imageSize = imageSize
      self.dropout = dropout
    }
  }

  /// The version of this form.
  public var version = 1
  /// Which pictures.
  public var data: Data
  /// Which network.
  public var backbone: Backbone
  /// What is learnt; taken from the data where it is empty.
  public var tasks: [TaskDescription]
  /// What trains when.
  public var schedule: Schedule
  /// How samples go through the machine, and the seed.
  public var options: TrainingOptions

  /// A configuration of a run.
  public init(
    data: Data, backbone: Backbone, tasks: [TaskDescription] = [], schedule: Schedule = .probeThenTune,
    options: TrainingOptions = TrainingOptions()
  ) {
    self.data = data
    self.backbone = backbone
    self.tasks = tasks
    self.schedule = schedule
    self.options = options
  }
}

extension RunConfiguration {
  /// The configuration as YAML.
  ///
  /// - Throws: ``TrainingError`` with code `invalidOption` for numbers that YAML cannot hold.
  public func yaml() throws(TrainingError) -> String {
    do {
      let encoder = YAMLEncoder()
      encoder.options.sortKeys = false
      return try encoder.encode(self)
    } catch {
      throw TrainingError(.invalidOption, subject: "configuration", detail: "cannot be written as YAML: \(error)")
    }
  }

  /// Reads a configuration.
  ///
  /// - Parameter name: The file, for messages.
  /// - Throws: ``TrainingError`` with code `invalidOption` saying where the text breaks the form.
  public init(yaml: String, name: String) throws(TrainingError) {
    do {
      self = try YAMLDecoder().decode(RunConfiguration.self, from: yaml)
    } catch let error as DecodingError {
      throw TrainingError(.invalidOption, subject: name, detail: error.spoken)
    } catch {
      throw TrainingError(.invalidOption, subject: name, detail: "\(error)")
    }
    guard version == 1 else {
      throw TrainingError(.invalidOption, subject: name, detail: "expected version 1, found \(version)")
    }
  }
}

extension DecodingError {
  /// Where, what was expected and what was found, in one clause.
  fileprivate var spoken: String {
    func place(_ context: Context) -> String {
      let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
      return path.isEmpty ? "the text" : path.joined(separator: ".")
    }
    switch self {
    case .keyNotFound(let key, let context): return "\(place(context)) has no \(key.stringValue)"
    case .typeMismatch(let type, let context): return "\(place(context)) must be of type \(type)"
    case .valueNotFound(let type, let context): return "\(place(context)) has no value of type \(type)"
    case .dataCorrupted(let context):
      return context.underlyingError.map { "\($0)" } ?? "\(place(context)): \(context.debugDescription)"
    @unknown default: return "\(self)"
    }
  }
}
