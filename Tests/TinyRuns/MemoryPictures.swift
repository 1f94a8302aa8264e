import Synchronization
import Tasks
import Tensors
import Training

/// Pictures in memory: those of a class are noise around one colour that leans to one side.
package struct MemoryPictures: PictureSource {
  /// The shape of every picture.
  package let pictureShape: Shape = TinyNetwork.pictureShape
  private let pixels: [Tensor]
  private let counter: PictureCounter?

  /// A picture for each of the given classes.
  package init(classes: [Int], counter: PictureCounter? = nil) {
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

  /// Begins to bring pictures.
  package func pictures(_ requests: [PictureRequest]) -> any PictureSequence {
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
package final class PictureCounter: Sendable {
  private let value = Mutex(0)

  /// Nothing yet.
  package init() {}

  /// How many pictures were asked for.
  package var count: Int { value.withLock { $0 } }

  fileprivate func add() { value.withLock { $0 += 1 } }
}

/// Ready-made data and runs of the tiny network.
package struct TinyRun: Sendable {
  /// What is learnt.
  package var tasks = [TaskDescription(kind: .classification(classes: ["red", "green", "blue"]))]
  /// The class of each picture.
  package var classes = (0..<38).map { $0 % 3 }
  /// What is done to training pictures.
  package var augmentation = TrainingData.Augmentation.none
  /// How samples go through the machine.
  package var options = TrainingOptions(batchSize: 8, microBatchSize: 4, frozenMicroBatchSize: 4, seed: 7)
  /// The labels of each picture in each task, where they are not its class.
  package var labels: [[Int?]]?
  /// Counts the pictures that are asked for.
  package var counter: PictureCounter?

  /// The usual run.
  package init() {}

  /// 22 pictures to train on, 8 to validate with and 8 to test with.
  package var data: TrainingData {
    get throws {
      try TrainingData(
        pictures: MemoryPictures(classes: classes, counter: counter),
        labels: LabelTable(tasks: tasks, samples: labels ?? classes.map { [$0] }), training: Array(0..<22),
        validation: Array(22..<30), test: Array(30..<38), augmentation: augmentation)
    }
  }
}
