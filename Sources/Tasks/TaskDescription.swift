/// What a model shall learn to say about a picture, as a value.
///
/// A model carries a list of them, one head each on a shared trunk. (The type is not called `Task`, because a program that
/// imports the library would then lose Swift's own.)
public struct TaskDescription: Hashable, Sendable {
  /// The form of the answer.
  public enum Kind: Hashable, Sendable {
    /// One of several classes; the position of a name is the label.
    case classification(classes: [String])
  }

  /// The name of the task that a folder of class folders makes.
  public static let defaultName = "class"

  /// The name, unique among a model's tasks.
  public var name: String
  /// The form of the answer.
  public var kind: Kind
  /// The factor wᵢ of the task's loss in J = (1/n) Σ wᵢ Jᵢ; more than zero.
  public var weight: Float
  /// The share ε of the target that is spread evenly over all classes, 0 ≤ ε < 1.
  public var labelSmoothing: Float
  /// How wrong an answer is counted to be.
  public var loss: Loss
  /// How much each class counts in the loss while training.
  public var classWeighting: ClassWeighting

  /// A task; see `validate()` for what must hold.
  public init(
    name: String = TaskDescription.defaultName, kind: Kind, weight: Float = 1, labelSmoothing: Float = 0,
    loss: Loss = .crossEntropy, classWeighting: ClassWeighting = .none
  ) {
    self.name = name
    self.kind = kind
    self.weight = weight
    self.labelSmoothing = labelSmoothing
    self.loss = loss
    self.classWeighting = classWeighting
  }

  /// The names of the classes in the order of their labels.
  public var classes: [String] {
    switch kind {
    case .classification(let classes): classes
    }
  }

  /// How many numbers the head puts out for a sample.
  public var outputCount: Int { classes.count }
}

// MARK: - Checking

extension TaskDescription {
  /// Checks that the task can be learnt: a name, two classes or more with different names, numbers inside their ranges.
  public func validate() throws(TaskError) {
    guard !name.isEmpty else { throw TaskError(.unfitName, subject: "task", detail: "has no name") }
    guard classes.count > 1 else {
      throw TaskError(
        .tooFewClasses, subject: name, detail: "a classification needs at least two classes, but has \(classes.count)")
    }
    var seen: Set<String> = []
    for label in classes {
      guard !label.isEmpty else { throw TaskError(.unfitName, subject: name, detail: "a class has no name") }
      guard seen.insert(label).inserted else {
        throw TaskError(.unfitName, subject: name, detail: "two classes are called \(label)")
      }
    }
    guard weight.isFinite, weight > 0 else {
      throw TaskError(.invalidOption, subject: name, detail: "weight must be more than 0, but is \(weight)")
    }
    guard labelSmoothing >= 0, labelSmoothing < 1 else {
      throw TaskError(
        .invalidOption, subject: name,
        detail: "labelSmoothing must be at least 0 and below 1, but is \(labelSmoothing)")
    }
    if case .focal(let gamma) = loss, !(gamma >= 0 && gamma <= 100) {
      throw TaskError(.invalidOption, subject: name, detail: "gamma must be from 0 to 100, but is \(gamma)")
    }
    guard case .explicit(let values) = classWeighting else { return }
    let areFactors = values.allSatisfy { $0.isFinite && $0 >= 0 } && values.contains { $0 > 0 }
    guard values.count == classes.count, areFactors else {
      throw TaskError(
        .invalidOption, subject: name,
        detail: "classWeights must be \(classes.count) numbers of 0 or more, not all 0, but are \(values)")
    }
  }
}

extension [TaskDescription] {
  /// Checks every task, that there is at least one, and that no two share a name.
  public func validate() throws(TaskError) {
    guard !isEmpty else { throw TaskError(.noTasks, subject: "model", detail: "has no task to learn") }
    var seen: Set<String> = []
    for task in self {
      try task.validate()
      guard seen.insert(task.name).inserted else {
        throw TaskError(.unfitName, subject: task.name, detail: "two tasks have this name")
      }
    }
  }
}

// MARK: - In files

extension TaskDescription: Codable {
  private enum CodingKeys: String, CodingKey {
    case name
    case kind
    case classes
    case weight
    case labelSmoothing
    case loss
    case classWeights
  }

  /// Reads a task and checks it.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    name = try values.decode(String.self, forKey: .name)
    let kind = try values.decode(String.self, forKey: .kind)
    guard kind == "classification" else {
      throw TaskError(.unknownKind, subject: name, detail: "expected the kind classification, found \(kind)")
    }
    self.kind = .classification(classes: try values.decode([String].self, forKey: .classes))
    weight = try values.decodeIfPresent(Float.self, forKey: .weight) ?? 1
    labelSmoothing = try values.decodeIfPresent(Float.self, forKey: .labelSmoothing) ?? 0
    loss = try values.decodeIfPresent(Loss.self, forKey: .loss) ?? .crossEntropy
    classWeighting = try values.decodeIfPresent(ClassWeighting.self, forKey: .classWeights) ?? .none
    try validate()
  }

  /// Writes the task with all its options.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .name)
    switch kind {
    case .classification(let classes):
      try values.encode("classification", forKey: .kind)
      try values.encode(classes, forKey: .classes)
    }
    try values.encode(weight, forKey: .weight)
    try values.encode(labelSmoothing, forKey: .labelSmoothing)
    try values.encode(loss, forKey: .loss)
    try values.encode(classWeighting, forKey: .classWeights)
  }
}
