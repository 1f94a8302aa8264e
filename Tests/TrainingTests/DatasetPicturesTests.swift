import Datasets
import Foundation
import Tasks
import Tensors
import Testing
import TinyRuns
import Training

@Suite struct DatasetPicturesTests {
  private let labels = LabelSet(name: "class", classes: ["cat", "dog"])

  /// Two picture files as a data set.
  private var dataset: Dataset {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Fixtures/pictures").standardized.path
    return Dataset(
      root: root, tasks: [labels],
      samples: [Sample(path: "tall.jpg", labels: [0]), Sample(path: "tall.png", labels: [1])])
  }

  private func pictures(_ requests: [PictureRequest], threads: Int = 2) throws -> [[Float]] {
    let loader = PictureLoader(dataset, decoder: PictureDecoder(size: 16), threadCount: threads)
    let source = DatasetPictures(loader, augmentation: .standard, seed: 3)
    #expect(source.pictureShape == [16, 16, 3])
    let sequence = source.pictures(requests)
    let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: 16 * 16 * 3)
    defer { buffer.deallocate() }
    return try requests.map { _ in
      try sequence.next(into: buffer)
      return Array(buffer)
    }
  }

  @Test func picturesComeInTheOrderOfTheRequestsAndInTheirForm() throws {
    let plain = try pictures([PictureRequest(0), PictureRequest(1)])
    #expect(plain[0] != plain[1])
    let mixed = try pictures(
      [PictureRequest(1, .mirrored), PictureRequest(1), PictureRequest(0, .mirrored)], threads: 1)
    #expect(mixed[1] == plain[1])
    for (found, original) in [(mixed[0], plain[1]), (mixed[2], plain[0])] {
      #expect(found != original)
      for row in 0..<16 {
        for column in 0..<16 {
          let (a, b) = ((row * 16 + column) * 3, (row * 16 + 15 - column) * 3)
          #expect(found[a..<a + 3] == original[b..<b + 3])
        }
      }
    }
  }

  @Test func whatIsDrawnBelongsToTheEpochAndTheSample() throws {
    let first = try pictures([PictureRequest(0, .augmented(epoch: 1)), PictureRequest(1, .augmented(epoch: 1))])
    let again = try pictures([PictureRequest(1, .augmented(epoch: 1)), PictureRequest(0, .augmented(epoch: 1))])
    #expect(again == [first[1], first[0]])
    #expect(try pictures([PictureRequest(0, .augmented(epoch: 2))])[0] != first[0])
  }

  @Test func aPictureThatCannotBeReadIsNamed() throws {
    let broken = Dataset(root: "/nowhere", tasks: [labels], samples: [Sample(path: "missing.png", labels: [0])])
    let loader = PictureLoader(broken, decoder: PictureDecoder(size: 16))
    let sequence = DatasetPictures(loader, augmentation: .none, seed: 1).pictures([PictureRequest(0)])
    let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: 16 * 16 * 3)
    defer { buffer.deallocate() }
    let error = #expect(throws: DatasetError.self) { try sequence.next(into: buffer) }
    #expect(error?.subject == "/nowhere/missing.png")
  }
}

@Suite struct LabelTableTests {
  private func dataset(_ tasks: [LabelSet], _ labels: [[Int?]]) -> Dataset {
    Dataset(
      root: "data", tasks: tasks, samples: labels.enumerated().map { Sample(path: "\($0).png", labels: $1) })
  }

  @Test func classesFindEachOtherByName() throws {
    let data = dataset(
      [LabelSet(name: "b", classes: ["x", "y"]), LabelSet(name: "a", classes: ["v", "u"])],
      [[0, 1], [1, nil], [nil, 0]])
    let tasks = [
      TaskDescription(name: "a", kind: .classification(classes: ["u", "v", "w"])),
      TaskDescription(name: "c", kind: .classification(classes: ["p", "q"])),
      TaskDescription(name: "b", kind: .classification(classes: ["y", "x"])),
    ]
    let table = try LabelTable(data, tasks: tasks)
    #expect(table.labels == [[0, -1, 1], [-1, -1, -1], [1, 0, -1]])
    #expect(table.classCounts(task: 0, among: [0, 2]) == [1, 1, 0])
  }

  @Test func aTaskAloneFindsTheOtherAloneWhateverItsName() throws {
    let data = dataset([LabelSet(name: "class", classes: ["x", "y"])], [[1], [0]])
    let task = TaskDescription(name: "animal", kind: .classification(classes: ["x", "y"]))
    #expect(try LabelTable(data, tasks: [task]).labels == [[1, 0]])
  }

  @Test func aClassThatTheModelDoesNotKnowIsNamed() throws {
    let data = dataset([LabelSet(name: "class", classes: ["x", "z"])], [[1], [0]])
    let task = TaskDescription(kind: .classification(classes: ["x", "y"]))
    let error = #expect(throws: TrainingError.self) { try LabelTable(data, tasks: [task]) }
    #expect(error?.description == "data: class \"z\" is none of the model's 2: x, y")
  }

  @Test func dataWithoutACommonTaskIsRefused() throws {
    let data = dataset(
      [LabelSet(name: "b", classes: ["x", "y"]), LabelSet(name: "c", classes: ["x", "y"])], [[1, 0]])
    let task = TaskDescription(name: "a", kind: .classification(classes: ["x", "y"]))
    let error = #expect(throws: TrainingError.self) { try LabelTable(data, tasks: [task]) }
    #expect(error?.description == "data: expected labels of a, found b, c")
  }

  @Test func partsWithoutPicturesAreNamed() throws {
    let table = try LabelTable(tasks: TinyRun().tasks, samples: [[0], [1]])
    let error = #expect(throws: TrainingError.self) {
      try TrainingData(pictures: MemoryPictures(classes: [0, 1]), labels: table, training: [0, 1], validation: [])
    }
    #expect(error?.description == "validation: has no pictures")
  }
}
