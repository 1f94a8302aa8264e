import Graphs
import HDF5Files

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The process that reads a file of Keras for another one, without any right but that.
public enum KerasReader {
  /// Lets this program read files in processes of its own, without another program beside it.
  ///
  /// Call it first thing in `main`: where the program was started as a reader it does that work and ends, otherwise it
  /// returns at once. ``ReadingMode/isolated`` then starts this program again where there is no `graft-reader`.
  public static func serveIfAsked() {
    if ReaderSeat.isAsked { serve() }
    ReaderSeat.declareServer()
  }

  /// Reads the file that this process was started for, and ends.
  package static func serve() -> Never {
    let seat = ReaderSeat()
    guard fcntl(3, F_GETFD) >= 0, fcntl(4, F_GETFD) >= 0, fcntl(5, F_GETFD) >= 0 else {
      let sentence = "graft-reader: is started by graft and by programs with its library, for one file each\n"
      _ = sentence.withCString { write(2, $0, strlen($0)) }
      exit(2)
    }
    var request = MessageReader(seat.receive())
    guard let order = try? ReaderOrder(from: &request) else { seat.end(status: 1) }
    // The file is examined while that is still allowed.
    guard let opened = try? seat.file(named: order.name) else { seat.end(status: 1) }
    seat.confine(order.limits)
    do throws(WeightError) {
      if let attribute = order.textAttribute {
        try answer(KerasContents(arraysOf: opened, attribute: attribute), order, seat)
        seat.end(status: 0)
      }
      let file = try OpenKerasFile(opened, needsWeights: order.wantsLayers)
      let contents = try file.contents()
      if order.checksNumbers { try file.checkNumbers() }
      // Whoever asked will do the same with the same bytes: what would go wrong there goes wrong here first.
      if contents.configuration != nil { _ = try? file.architecture(inputSize: order.inputSize, options: .strict) }
      try answer(contents, order, seat)
    } catch {
      var message = MessageWriter()
      message.append(1)
      error.write(to: &message)
      seat.send(message.bytes)
    }
    seat.end(status: 0)
  }

  private static func answer(
    _ contents: KerasContents, _ order: ReaderOrder, _ seat: ReaderSeat
  ) throws(WeightError) {
    var message = MessageWriter()
    message.append(0)
    contents.write(to: &message)
    guard message.bytes.count <= KerasContents.maximumMessageByteCount else {
      throw WeightError(.tooLarge, detail: "describes its network in \(message.bytes.count) bytes")
    }
    seat.send(message.bytes)
    guard order.wantsNumbers else { return }
    // The other side has given the memory its size by now.
    _ = seat.receive()
    let arrays = contents.weights.layers.flatMap(\.arrays).map(\.dataset)
    var layout = SharedLayout()
    guard arrays.allSatisfy({ layout.add($0.shape, $0.elementType) }) else { seat.end(status: 1) }
    if layout.byteCount > 0 {
      guard let memory = seat.memory(byteCount: layout.byteCount) else {
        throw WeightError(
          .tooLarge, detail: "holds \(layout.byteCount) bytes of weights, more than its reader may have")
      }
      for (array, start) in zip(arrays, layout.starts) {
        guard let start, let type = array.elementType else { continue }
        let part = memory.bytes[start..<start + array.shape.elementCount * type.byteCount]
        try array.read(into: UnsafeMutableRawBufferPointer(rebasing: part))
      }
    }
    message = MessageWriter()
    message.append(0)
    seat.send(message.bytes)
  }
}

/// What a reader is asked for.
struct ReaderOrder {
  /// What errors call the file.
  var name: String
  /// What the reader may use.
  var limits: ReaderLimits
  /// Height and width of images where the file leaves them open.
  var inputSize: Size2D?
  /// Whether the layers are wanted, with their shapes.
  var wantsLayers: Bool
  /// Whether their numbers are wanted too.
  var wantsNumbers: Bool
  /// Whether their numbers are read without being wanted.
  var checksNumbers: Bool
  /// The attribute that holds the text of a file that is none of Keras.
  var textAttribute: String?
}

extension ReaderOrder {
  func write(to message: inout MessageWriter) {
    message.append(name)
    message.append(limits.memoryByteCount)
    message.append(limits.processorSeconds)
    message.append(inputSize) { message, size in
      message.append(size.height)
      message.append(size.width)
    }
    message.append(wantsLayers ? 1 : 0)
    message.append(wantsNumbers ? 1 : 0)
    message.append(checksNumbers ? 1 : 0)
    message.append(textAttribute) { $0.append($1) }
  }

  init(from message: inout MessageReader) throws(MessageFailure) {
    name = try message.text()
    limits = ReaderLimits(fileByteCount: 0)
    limits.memoryByteCount = try message.number(in: 0...(1 << 46))
    limits.processorSeconds = try message.number(in: 1...(1 << 30))
    inputSize = try message.optional { message throws(MessageFailure) in
      Size2D(try message.number(in: 1...(1 << 30)), try message.number(in: 1...(1 << 30)))
    }
    wantsLayers = try message.number(in: 0...1) == 1
    wantsNumbers = try message.number(in: 0...1) == 1
    checksNumbers = try message.number(in: 0...1) == 1
    textAttribute = try message.optional { message throws(MessageFailure) in try message.text() }
    try message.finish()
  }
}

extension WeightError {
  func write(to message: inout MessageWriter) {
    message.append(code.rawValue)
    message.append(file)
    message.append(object) { $0.append($1) }
    message.append(detail)
  }

  init(from message: inout MessageReader) throws(MessageFailure) {
    guard let code = Code(rawValue: try message.text()) else { throw MessageFailure() }
    let file = try message.text()
    let object = try message.optional { message throws(MessageFailure) in try message.text() }
    self.init(code, file: file, object: object, detail: try message.text())
    try message.finish()
  }
}
