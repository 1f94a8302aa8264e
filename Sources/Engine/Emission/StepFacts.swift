import CDNNL
import Graphs

/// What a table says of a step besides its time.
struct StepFacts {
  /// The extents of what it makes, in oneDNN's order of axes; empty where nobody knows.
  var dimensions: [Int] = []
  /// How what it reads and what it makes lie in memory; empty where nobody knows.
  var layout = ""
  /// The bytes of everything that it reads and writes.
  var byteCount = 0
  /// The convolutions or matrix product that it is; none for everything else, and for what is computed again.
  var workloads: [Workload] = []
}

extension Emitter {
  /// What is known of a primitive from its arguments.
  func facts(of arguments: [(index: Int, layout: MemoryDescriptor, buffer: Buffer)]) -> StepFacts {
    func form(ofFirst candidates: [Int]) -> MemoryDescriptor.Form? {
      for candidate in candidates {
        guard let layout = arguments.first(where: { $0.index == candidate })?.layout else { continue }
        let names = candidate == graft_arg_weights_gradient ? ["oi", "oihw", "goihw"] : ["nc", "nchw"]
        return names.lazy.compactMap { layout.form(calling: $0) }.first
      }
      return nil
    }
    let made = form(ofFirst: [graft_arg_source_gradient, graft_arg_weights_gradient, graft_arg_destination])
    let read = form(ofFirst: [graft_arg_source, graft_arg_destination_gradient])
    let layouts = [read?.layout, made?.layout].compactMap(\.self)
    return StepFacts(
      dimensions: made?.dimensions ?? [],
      layout: layouts.count == 2 && layouts[0] != layouts[1] ? layouts.joined(separator: " to ") : layouts.last ?? "",
      byteCount: arguments.reduce(0) { $0 + $1.layout.byteCount })
  }

  /// What is known of a kernel's call from the memory that it touches.
  func facts(touching touched: [Buffer]) -> StepFacts {
    var facts = StepFacts()
    var seen: Set<ObjectIdentifier> = []
    for buffer in touched where buffer !== gradientBuffer && seen.insert(ObjectIdentifier(buffer)).inserted {
      facts.byteCount += buffer.byteCount
      guard let (shape, layout) = images[ObjectIdentifier(buffer)] else { continue }
      facts.dimensions = [batch] + (shape.dimensions.last.map { [$0] } ?? []) + shape.dimensions.dropLast()
      facts.layout = layout.name
    }
    return facts
  }
}

extension ActivationLayout {
  /// oneDNN's name of the layout of images.
  fileprivate var name: String {
    switch self {
    case .channelsLast: "nhwc"
    case .channelsFirst: "nchw"
    case .blocked(let width): "nChw\(width)c"
    }
  }
}
