import ArgumentParser
import Graft

/// The numbers that a network computes with.
enum PrecisionArgument: String, ExpressibleByArgument, CaseIterable {
  /// bf16 for what is frozen where the processor has instructions for it, f32 for the rest.
  case auto
  case f32
  case bf16

  /// What a run computes with.
  var forTraining: TrainingPrecision {
    switch self {
    case .auto: .automatic
    case .f32: .f32
    case .bf16: .bf16
    }
  }

  /// What a user of this processor should know, in one sentence; nil for nothing.
  var note: String? {
    guard self == .bf16 else { return nil }
    return switch BFloat16Arithmetic.ofThisProcessor {
    case .native: nil
    case .rounded: "this processor computes in f32 and rounds to bf16: --precision f32 is faster"
    }
  }
}

extension Fit: ExpressibleByArgument {}

extension Recipe: ExpressibleByArgument {}

/// A size such as `500M` or `4G`.
struct ByteCount: Hashable, Sendable, Decodable {
  /// The number of bytes.
  let bytes: Int

  /// A number, with K, M, G or T for powers of 1024, as in `500M`, `500MB` or `500MiB`.
  ///
  /// - Throws: `ValidationError` for anything else.
  init(parsing text: String) throws {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    var unit = text.dropFirst(digits.count).uppercased()
    if unit.hasSuffix("B") { unit.removeLast() }
    if unit.hasSuffix("I"), unit.count == 2 { unit.removeLast() }
    let shift = ["": 0, "K": 10, "M": 20, "G": 30, "T": 40][unit]
    guard let number = Int(digits), let shift, number <= Int.max >> shift else {
      throw ValidationError("expected a size such as 500M or 4G, found \"\(text)\"")
    }
    bytes = number << shift
  }
}

/// A ready-made schedule, or a file with one.
enum ScheduleArgument: Sendable {
  case preset(SchedulePreset)
  case file(String)

  /// What stands on a command line: a file has a slash in its name, or ends in `.yaml` or `.yml`.
  ///
  /// - Throws: `ValidationError` with the names that there are.
  init(parsing text: String) throws {
    if text.contains("/") || text.hasSuffix(".yaml") || text.hasSuffix(".yml") {
      self = .file(text)
      return
    }
    do {
      self = .preset(try SchedulePreset.named(text))
    } catch {
      throw ValidationError("\(error), or a file such as schedule.yaml")
    }
  }
}

/// A ready-made augmentation.
enum AugmentationArgument: String, ExpressibleByArgument, CaseIterable {
  case none
  case flip
  case standard
  case strong
}

/// An optimizer with its usual options.
enum OptimizerArgument: String, ExpressibleByArgument, CaseIterable {
  case sgd
  case adam
  case adamW = "adamw"
  case rmsprop
  case lion
  case lamb

  init?(argument: String) { self.init(rawValue: argument.lowercased()) }
}

extension TaskDescription.Loss {
  /// What stands on a command line: `cross-entropy`, `focal`, or `focal:3` with its gamma.
  ///
  /// - Throws: `ValidationError` for anything else.
  init(parsing text: String) throws {
    switch text {
    case "cross-entropy": self = .crossEntropy
    case "focal": self = .focal()
    default:
      guard text.hasPrefix("focal:"), let gamma = Float(text.dropFirst(6)), gamma >= 0, gamma <= 100 else {
        throw ValidationError("expected cross-entropy, focal, or focal:2 with a gamma up to 100, found \"\(text)\"")
      }
      self = .focal(gamma: gamma)
    }
  }
}

/// How much the samples of each class count.
enum ClassWeightsArgument: String, ExpressibleByArgument, CaseIterable {
  case balanced
  case none

  /// The weighting that is meant.
  var weighting: ClassWeighting {
    switch self {
    case .balanced: .balanced
    case .none: .none
    }
  }
}

/// Refuses a number that is given and lies outside its range.
func requireRange(_ option: String, _ value: Int?, _ range: ClosedRange<Int>) throws {
  guard let value, !range.contains(value) else { return }
  throw ValidationError("--\(option) must be from \(range.lowerBound) to \(range.upperBound), but is \(value)")
}

/// Refuses a name that is given and empty, as by a variable of a script that was never set.
func requireName(_ option: String, _ value: String?) throws {
  if value?.isEmpty == true { throw ValidationError("\(option) must not be empty") }
}

/// Reads how often a checkpoint is written.
func readInterval(_ text: String) throws -> CheckpointInterval {
  do throws(TrainingError) {
    return try CheckpointInterval(parsing: text)
  } catch {
    throw ValidationError(error.detail)
  }
}
