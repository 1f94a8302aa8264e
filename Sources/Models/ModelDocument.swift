import Graphs
import Tasks

/// What a model file says about itself beyond the network: `graft.json`.
public struct ModelDocument: Hashable, Sendable, Codable {
  /// How a picture becomes the network's input.
  public struct Picture: Hashable, Sendable, Codable {
    /// Rows of pixels.
    public var height: Int
    /// Pixels of a row.
    public var width: Int
    /// How a picture of another shape is brought to this one: `crop`, `squash` or `pad`.
    public var fit: String

    /// Pictures of the given size.
    public init(height: Int, width: Int, fit: String = "crop") {
      self.height = height
      self.width = width
      self.fit = fit
    }
  }

  /// Where the model comes from.
  public struct Provenance: Hashable, Sendable, Codable {
    /// The name of the backbone.
    public var backbone: String
    /// The SHA-256 of its file, in hexadecimal.
    public var backboneSHA256: String?
    /// The licence of its weights.
    public var licence: String?
    /// What trained when.
    public var schedule: String?
    /// A SHA-256 over the data set's samples.
    public var dataset: String?
    /// What every random draw of the training came from.
    public var seed: UInt64?

    /// A model made of a backbone.
    public init(
      backbone: String, backboneSHA256: String? = nil, licence: String? = nil, schedule: String? = nil,
      dataset: String? = nil, seed: UInt64? = nil
    ) {
      self.backbone = backbone
      self.backboneSHA256 = backboneSHA256
      self.licence = licence
      self.schedule = schedule
      self.dataset = dataset
      self.seed = seed
    }
  }

  /// An input that anyone can make again, and what the model puts out for it.
  public struct Parity: Hashable, Sendable, Codable {
    /// The seed of `Model.parityInput(seed:)`.
    public var seed: UInt64
    /// One row of probabilities a task.
    public var outputs: [[Float]]

    /// The outputs for the input of a seed.
    public init(seed: UInt64, outputs: [[Float]]) {
      self.seed = seed
      self.outputs = outputs
    }
  }

  /// A named part of the trunk, which Keras's own format has no word for.
  public struct StageLayers: Hashable, Sendable, Codable {
    /// The stage's name.
    public var name: String
    /// The names of its layers.
    public var layers: [String]
  }

  /// The version of this form that is written.
  public static let currentVersion = 1

  /// The version of this form.
  public var formatVersion = ModelDocument.currentVersion
  /// What the model answers, one output each in this order.
  public var tasks: [TaskDescription]
  /// The layers that answer each task.
  public var heads: [Head]
  /// How a picture becomes the network's input.
  public var picture: Picture
  /// What stands between pixels and network, for people; it is part of the network.
  public var preprocessing = "inside the network, which takes RGB from 0 to 255, channels last"
  /// The parts of the trunk from input to output.
  public var stages: [StageLayers]
  /// Where the model comes from.
  public var provenance: Provenance?
  /// An input and its outputs, which verify every copy of the model.
  public var parity: Parity?

  /// What is known about a model.
  public init(
    tasks: [TaskDescription], heads: [Head], picture: Picture, stages: [Stage] = [], provenance: Provenance? = nil,
    parity: Parity? = nil
  ) {
    self.tasks = tasks
    self.heads = heads
    self.picture = picture
    self.stages = stages.map { StageLayers(name: $0.name, layers: $0.layers) }
    self.provenance = provenance
    self.parity = parity
  }
}
