import Datasets
import Freezing
import Tasks

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
    /// The last layer of the network that is kept, where somebody asked for one.
    public var cutAt: String?
    /// How the file is read; as usual if nil.
    public var loading: Loading?

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
  /// What the run has decided by measuring or by the clock; nil before it has.
  public var record: RunRecord?

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
