import Graphs

/// For which work a plan is compiled.
public struct PlanOptions: Sendable {
  /// Where batch normalisation takes its statistics from in layers that train.
  public enum BatchNormalizationMode: String, Sendable {
    /// The stored moving statistics, which stay as they are.
    case frozenStatistics
    /// The statistics of the batch; the stored ones follow them.
    case trainingStatistics
  }

  /// What a plan computes images with.
  ///
  /// Everything else, parameters and their gradients among it, is single precision.
  public enum Precision: String, Sendable, Codable {
    /// Single precision.
    case f32
    /// bfloat16: kernels and images are rounded to it, sums are single precision.
    case bf16
  }

  /// What a plan may leave undone, to see what it brings or that it changes nothing.
  public enum Pass: String, Sendable, CaseIterable, Codable {
    /// Folding batch normalisation with frozen statistics into convolutions.
    case fold
    /// Activations, additions and borders inside the primitive before or after them.
    case fuse
    /// Pixels that windows of one by one with strides read, taken once and before whatever makes pixels from single pixels;
    /// means over windows before or after windows of one by one, as is less work.
    case sample
    /// Activations where the convolutions want them; channels last throughout without it.
    case layout
    /// Memory shared by buffers that do not live at the same time.
    case arena
    /// Batches cut into smaller ones whose activations stay near the processor. Whoever feeds a plan cuts them.
    case microBatch = "micro-batch"
    /// Batches shared out among the threads, each computing its samples from beginning to end; all threads work on each
    /// operation without it.
    case lanes
    /// Convolutions by loops of Graft's own where these are faster, those of three by three by Winograd's algorithm; oneDNN's
    /// primitives throughout without it.
    case loops
  }

  /// How many samples are best computed at once where nothing is kept for a way back.
  ///
  /// Measured: as few as stay near the processor, but with wide registers enough to be worth reading the kernels for.
  public static let frozenBatchSize = Processor.blockWidth == 16 ? 8 : 4

  /// How many samples one run computes.
  public var batchSize: Int
  /// The parameters that gradients are wanted for; empty for inference.
  public var trainable: Set<ParameterPath>
  /// The layers that behave as in training: their dropout drops, their batch normalisation may use the batch.
  public var trainingLayers: Set<String>
  /// What batch normalisation does in `trainingLayers`.
  public var batchNormalization: BatchNormalizationMode
  /// What images are computed with.
  public var precision: Precision
  /// Passes that are left out.
  public var without: Set<Pass>
  /// The most memory that the plan may take, in bytes; nil for as much as is fastest.
  ///
  /// Where keeping all activations for the way back would take more, a plan keeps some and computes the others again.
  public var memoryBudget: Int?
  /// The seed of dropout.
  public var seed: UInt64
  /// How bfloat16 is computed; what the processor has, unless a test wants less.
  package var bfloat16 = BFloat16Arithmetic.ofThisProcessor
  /// In how many lanes the batch is computed, where its samples do not know each other; nil for what is fastest.
  package var laneCount: Int?
  /// Whether `backward` also makes the gradients of the inputs.
  public var wantsInputGradients = false

  /// Options of a plan.
  public init(
    batchSize: Int, trainable: Set<ParameterPath> = [], trainingLayers: Set<String> = [],
    batchNormalization: BatchNormalizationMode = .frozenStatistics, precision: Precision = .f32,
    without: Set<Pass> = [], memoryBudget: Int? = nil, seed: UInt64 = 0
  ) {
    precondition(batchSize > 0, "a batch has at least one sample")
    self.batchSize = batchSize
    self.trainable = trainable
    self.trainingLayers = trainingLayers
    self.batchNormalization = batchNormalization
    self.precision = precision
    self.without = without
    self.memoryBudget = memoryBudget
    self.seed = seed
  }
}
