import CDNNL
import CKernels
import Graphs

/// How steps bring the gradients of parameters into the plan's one buffer for them.
extension Emitter {
  /// Where the gradient of a parameter goes, and whether something has been written there before in the same run.
  ///
  /// Nil where the parameter does not train.
  func gradient(of path: ParameterPath?) -> (offset: Int, count: Int, isWritten: Bool)? {
    guard let path, let range = gradientRanges[path] else { return nil }
    return (range.lowerBound, range.count, !writtenGradients.insert(path).inserted)
  }

  /// The ranges of the gradient buffer that no step writes, because nothing depends on those parameters.
  var silentGradients: [Range<Int>] {
    gradientRanges.filter { !writtenGradients.contains($0.key) }.map(\.value)
  }

  /// Whether no other operation has a part in the gradients of these parameters.
  func isOnlyReader(of paths: [ParameterPath]) -> Bool { paths.allSatisfy { readerCounts[$0] == 1 } }

  /// Adds work on gradients that is done once for a whole batch; the first lane does it for all.
  func finish(_ finish: Finish) { if lane.leader == nil { finishes.append(finish) } }

  /// Adds a step that puts single-precision numbers into the gradient of a parameter, where it trains.
  func writeGradient(of path: ParameterPath?, from source: Buffer, name: String) {
    guard let place = gradient(of: path) else { return }
    let (target, run) = (gradientBuffer, run)
    step(name, "unfold", touching: [source, target]) {
      let sum = target.floats + place.offset
      if place.isWritten || run.isAccumulating {
        graft_accumulate(sum, source.floats, place.count, graft_f32)
      } else {
        graft_copy(sum, source.floats, place.count)
      }
    }
  }

  /// The same for numbers in a layout of a primitive's choice, which are turned into `stored` on the way.
  func writeGradient(
    of path: ParameterPath?, from source: Buffer, _ layout: MemoryDescriptor, _ stored: MemoryDescriptor, name: String
  ) throws(EngineError) {
    if stored == layout { return writeGradient(of: path, from: source, name: name) }
    guard let place = gradient(of: path) else { return }
    let part = Buffer(partOf: gradientBuffer, offset: place.offset * 4, byteCount: place.count * 4)
    let descriptors = (
      first: try reorderDescriptor(layout, stored), next: try reorderDescriptor(layout, stored, adding: true)
    )
    let (first, next) = (try Primitive(descriptors.first), try Primitive(descriptors.next))
    let scratch = try scratchArgument(of: [descriptors.first, descriptors.next])
    let call = Arguments(
      [
        (Int32(graft_arg_source), try memory(layout, source)),
        (Int32(graft_arg_destination), try memory(stored, part)),
      ] + scratch)
    let (run, stream) = (run, stream)
    step(name, descriptors.first.implementation, touching: [source, gradientBuffer]) {
      call.execute(place.isWritten || run.isAccumulating ? next : first, on: stream)
    }
  }
}
