import CDNNL
import Foundation

/// What decides the last bits of everything that is computed: two machines that agree in it compute the same.
public struct EngineDescription: Hashable, Sendable, Codable {
  /// The processor as its maker calls it.
  public var processor: String
  /// The best instructions that oneDNN finds in it.
  public var instructions: String
  /// The version of oneDNN.
  public var oneDNN: String
  /// How many threads compute.
  public var threads: Int

  /// A description of an engine.
  public init(processor: String, instructions: String, oneDNN: String, threads: Int) {
    self.processor = processor
    self.instructions = instructions
    self.oneDNN = oneDNN
    self.threads = threads
  }

  /// The engine of this process, with the threads that are in force.
  @EngineActor public static var current: EngineDescription {
    let version = dnnl_version().pointee
    return EngineDescription(
      processor: processorName, instructions: Processor.instructions,
      oneDNN: "\(version.major).\(version.minor).\(version.patch)", threads: EngineThreads.use(0))
  }

  private static let processorName: String = {
    #if canImport(Darwin)
      var name = [CChar](repeating: 0, count: 256)
      var count = name.count
      guard sysctlbyname("machdep.cpu.brand_string", &name, &count, nil, 0) == 0 else { return "unknown" }
      return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    #else
      return processorName(in: (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "")
    #endif
  }()

  /// The name that Linux gives a processor, or the numbers of its maker where it has none, as on ARM.
  package static func processorName(in information: String) -> String {
    var values: [String: String] = [:]
    for line in information.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let key = line[..<colon].trimmingCharacters(in: .whitespaces)
      // The first of several processors.
      if values[key] == nil { values[key] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces) }
    }
    if let name = values["model name"] { return name }
    let numbers = ["implementer", "architecture", "variant", "part", "revision"].compactMap { key in
      values["CPU \(key)"].map { "\(key) \($0)" }
    }
    return numbers.isEmpty ? "unknown" : "processor of \(numbers.joined(separator: ", "))"
  }
}

extension EngineDescription: CustomStringConvertible {
  /// What a person may compare: `2 threads of AMD EPYC 9B45 (avx512_core_bf16), oneDNN 2.6.3`.
  public var description: String {
    "\(threads == 1 ? "1 thread" : "\(threads) threads") of \(processor) (\(instructions)), oneDNN \(oneDNN)"
  }
}
