import Synchronization
import Tasks
import Tensors
import Training

/// Pictures in memory: those of a class are noise around one colour that leans to one side.
struct MemoryPictures: PictureSource {
  let pictureShape: Shape = TinyNetwork.pictureShape
  private let pixels: [Tensor]
  private let counter: PictureCounter?

  init(classes: [Int], counter: PictureCounter? = nil) {
    self.counter = counter
    pixels = classes.enumerated().map { sample, label in
      var picture = Tensor(generatedFor: "picture/\(sample)", shape: [8, 8, 3], factor: 120, summand: 0)
      picture.withMutableFloats { values in
        for index in values.indices where index % 3 == label % 3 {
          values[index] += index / 3 % 8 < 4 + label / 3 ? 110 : 70
        }
      }
      return picture
    }
  }

  func pictures(_ requests: [PictureRequest]) -> any PictureSequence {
    Sequence(pixels: pixels, requests: requests, counter: counter)
  }

  private final class Sequence: PictureSequence {
    private let pixels: [Tensor]
    private var requests: ArraySlice<PictureRequest>
    private let counter: PictureCounter?

    init(pixels: [Tensor], requests: [PictureRequest], counter: PictureCounter?) {
      self.counter = counter
      self.pixels = pixels
      self.requests = requests[...]
    }

    func next(into output: UnsafeMutableBufferPointer<Float>) throws {
      let request = requests.removeFirst()
      counter?.add()
      pixels[request.sample].withFloats { _ = output.update(fromContentsOf: $0) }
      switch request.treatment {
      case .plain: break
      case .mirrored: output.mirrorRows(width: 8)
      case .augmented(let epoch): for index in output.indices { output[index] += Float(epoch % 5) }
      }
    }
  }
}

/// Counts the pictures that are asked for.
final class PictureCounter: Sendable {
  private let value = Mutex(0)

  var count: Int { value.withLock { $0 } }

  func add() { value.withLock { $0 += 1 } }
}

/// Ready-made data and runs of the tiny network.
struct TinyRun {
  var tasks = [TaskDescription(kind: .classification(classes: ["red", "green", "blue"]))]
  var classes = (0..<38).map { $0 % 3 }
  var augmentation = TrainingData.Augmentation.none
  var options = TrainingOptions(batchSize: 8, microBatchSize: 4, frozenMicroBatchSize: 4, seed: 7)
  var labels: [[Int?]]?
  var counter: PictureCounter?

  var data: TrainingData {
    get throws {
      try TrainingData(
        pictures: MemoryPictures(classes: classes, counter: counter),
        labels: LabelTable(tasks: tasks, samples: labels ?? classes.map { [$0] }), training: Array(0..<22),
        validation: Array(22..<30), test: Array(30..<38), augmentation: augmentation)
    }
  }
}
