import Engine

/// How samples go through the machine while training.
public struct TrainingOptions: Hashable, Sendable, Codable {
  /// The samples of one batch.
  public var batchSize: Int
  /// How many batches make one optimizer step, by the mean of their gradients.
  ///
  /// Batch normalisation by the statistics of the batch sees each by itself.
  public var accumulation: Int
  /// How many of them are computed at once in what trains; nil estimates what fits into the processor's cache.
  ///
  /// Where batch normalisation uses the statistics of the batch, a batch is never cut.
  public var microBatchSize: Int?
  /// How many pictures go through the frozen part at once.
  public var frozenMicroBatchSize: Int
  /// Whether what the frozen part puts out is kept, where the augmentation allows it.
  public var cachesFeatures: Bool
  /// How many augmented forms each training picture has, so that their features can be kept.
  ///
  /// Nil draws another form for every epoch.
  public var augmentationVariants: Int?
  /// How training samples are mixed with each other; nil leaves each by itself.
  public var mixing: Mixing?
  /// Kept features that take more bytes than this go into a file; nil is a quarter of the memory that there is.
  public var cacheMemoryBudget: Int?
  /// The most bytes that a phase's activations, gradients and packed parameters may take; nil for as many as is fastest.
  ///
  /// A batch is computed in smaller parts for it, and where that is not enough or not allowed, some activations twice.
  public var memoryBudget: Int?
  /// What images are computed with.
  public var precision: TrainingPrecision
  /// What every random draw comes from.
  public var seed: UInt64
  /// How many threads compute; 0 leaves it to the system.
  public var threads: Int
  /// How often a checkpoint is written; nil for as often as costs a hundredth of the time at most.
  public var checkpointEvery: CheckpointInterval?

  /// Options with their defaults.
  public init(
    batchSize: Int = 16, accumulation: Int = 1, microBatchSize: Int? = nil,
    frozenMicroBatchSize: Int = PlanOptions.frozenBatchSize,
    cachesFeatures: Bool = true,
    augmentationVariants: Int? = nil, mixing: Mixing? = nil, cacheMemoryBudget: Int? = nil, memoryBudget: Int? = nil,
    precision: TrainingPrecision = .automatic,
    seed: UInt64 = 1, threads: Int = 0
  ) {
    self.batchSize = batchSize
    self.accumulation = accumulation
    self.microBatchSize = microBatchSize
    self.frozenMicroBatchSize = frozenMicroBatchSize
    self.cachesFeatures = cachesFeatures
    self.augmentationVariants = augmentationVariants
    self.mixing = mixing
    self.cacheMemoryBudget = cacheMemoryBudget
    self.memoryBudget = memoryBudget
    self.precision = precision
    self.seed = seed
    self.threads = threads
  }

  /// The bytes of features that may be kept in memory.
  var featureMemoryBudget: Int { cacheMemoryBudget ?? UsableMemory.byteCount / 4 }

  /// Checks that every number lies in its range.
  public func validate() throws(TrainingError) {
    let counts = [
      ("batchSize", batchSize, 1...1 << 20), ("accumulation", accumulation, 1...1 << 20),
      ("microBatchSize", microBatchSize ?? 1, 1...1 << 20),
      ("frozenMicroBatchSize", frozenMicroBatchSize, 1...1 << 20),
      ("augmentationVariants", augmentationVariants ?? 1, 1...1 << 20),
      ("cacheMemoryBudget", cacheMemoryBudget ?? 0, 0...Int.max), ("memoryBudget", memoryBudget ?? 1, 1...Int.max),
      ("threads", threads, 0...4096),
    ]
    for (name, value, range) in counts where !range.contains(value) {
      throw TrainingError(
        .invalidOption, subject: name, detail: "must be at least \(range.lowerBound) and sensible, but is \(value)")
    }
    try mixing?.validate()
  }
}
