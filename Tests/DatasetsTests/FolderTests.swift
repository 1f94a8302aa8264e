import Datasets
import Foundation
import Testing

@Suite struct FolderTests {
  @Test func classFoldersAreReadAtAnyDepthInTheOrderOfTheirBytes() throws {
    let folder = try TemporaryFolder()
    for name in ["dog/b.png", "dog/a.PNG", "cat/x/y/deep.jpeg", "cat/z.gif", "Zebra/1.tiff", "Zebra/2.webp"] {
      try folder.copy("colour.png", to: name)
    }
    let dataset = try Dataset.folder(at: folder.path)
    #expect(dataset.tasks == [LabelSet(name: "class", classes: ["Zebra", "cat", "dog"])])
    #expect(
      dataset.samples.map(\.path) == [
        "Zebra/1.tiff", "Zebra/2.webp", "cat/x/y/deep.jpeg", "cat/z.gif", "dog/a.PNG", "dog/b.png",
      ])
    #expect(dataset.samples.map(\.labels) == [[0], [0], [1], [1], [2], [2]])
    #expect(dataset.classCounts(task: 0) == [2, 2, 2])
    #expect(dataset.notes == [])
    #expect(try Dataset.read(at: folder.path + "/") == dataset)
  }

  @Test func classesThatAreNumbersAreInTheOrderOfNumbers() throws {
    let folder = try TemporaryFolder()
    for name in ["10/a.png", "9/a.png", "2/a.png"] { try folder.copy("colour.png", to: name) }
    #expect(try Dataset.folder(at: folder.path).tasks[0].classes == ["2", "9", "10"])
  }

  @Test func linksAreFollowedAndLoopsEnd() throws {
    let folder = try TemporaryFolder()
    let elsewhere = try TemporaryFolder()
    try elsewhere.copy("colour.png", to: "far/1.png")
    try elsewhere.copy("colour.png", to: "2.png")
    try folder.copy("colour.png", to: "near/3.png")
    try folder.link("linked", to: elsewhere.path)
    try elsewhere.link("far/loop", to: elsewhere.path)
    try elsewhere.link("far/self", to: elsewhere.path + "/far")
    try folder.link("near/4.png", to: elsewhere.path + "/2.png")
    try folder.link("near/broken.png", to: "nowhere")
    let dataset = try Dataset.folder(at: folder.path)
    #expect(
      dataset.samples.map(\.path) == [
        "linked/2.png", "linked/far/1.png", "near/3.png", "near/4.png", "near/broken.png",
      ])
    #expect(dataset.samples.last?.byteCount == nil)
  }

  @Test func otherFilesAreCountedAndHiddenOnesPassedOver() throws {
    let folder = try TemporaryFolder()
    for name in ["a/1.png", "b/1.png", "a/.2.png", ".git/3.png"] { try folder.copy("colour.png", to: name) }
    #expect(try Dataset.folder(at: folder.path).samples.count == 2)
    try folder.write("x", to: "a/notes.txt")
    #expect(
      try Dataset.folder(at: folder.path).notes == ["1 file is no picture by its name and was ignored: a/notes.txt"])
    try folder.write("x", to: "Thumbs.db")
    #expect(
      try Dataset.folder(at: folder.path).notes == [
        "2 files are no pictures by their names and were ignored, Thumbs.db among them"
      ])
  }

  @Test func trainingValidationAndTestFoldersStand() throws {
    let folder = try TemporaryFolder()
    for part in ["train", "valid", "test"] {
      for name in ["cat", "dog"] { try folder.copy("colour.png", to: "\(part)/\(name)/1.png") }
    }
    let dataset = try Dataset.folder(at: folder.path)
    #expect(dataset.tasks[0].classes == ["cat", "dog"])
    #expect(dataset.samples.map(\.part) == [.test, .test, .training, .training, .validation, .validation])
    let split = try Split(dataset, seed: 1)
    #expect(split.training == [2, 3] && split.validation == [4, 5] && split.test == [0, 1])
  }

  @Test func classesNamedLikePartsAmongOthersAreClasses() throws {
    let folder = try TemporaryFolder()
    for name in ["train/1.png", "test/1.png", "bus/1.png"] { try folder.copy("colour.png", to: name) }
    #expect(try Dataset.folder(at: folder.path).tasks[0].classes == ["bus", "test", "train"])
  }

  @Test func everyWrongFolderIsAnErrorOfOneSentence() throws {
    let folder = try TemporaryFolder()
    let root = folder.path
    func detail(_ name: String = "") -> String? {
      datasetError { _ = try Dataset.folder(at: root + name) }?.description
    }
    #expect(detail("/none") == "\(root)/none: the folder does not exist")
    #expect(
      detail() == "\(root): expected a folder for each class with its pictures inside, found an empty folder")
    try folder.copy("colour.png", to: "1.png")
    #expect(detail("/1.png") == "\(root)/1.png: expected a folder of class folders, found a file")
    #expect(
      detail()
        == "\(root): expected a folder for each class with its pictures inside, found no folders, and 1 pictures outside of any"
    )
    try folder.copy("colour.png", to: "cat/1.png")
    #expect(detail() == "\(root): expected at least two class folders, found one, \"cat\"")
    try folder.write("x", to: "dog/readme.txt")
    #expect(
      detail()
        == "\(root)/dog: the class folder has no pictures (bmp, gif, jpeg, jpg, png, tif, tiff, webp); add some or "
        + "remove the folder")
  }

  @Test func aClassThatOnlyTheTestFolderKnowsIsAnError() throws {
    let folder = try TemporaryFolder()
    for name in ["train/cat/1.png", "train/dog/1.png", "test/cow/1.png"] { try folder.copy("colour.png", to: name) }
    let error = datasetError { _ = try Dataset.folder(at: folder.path) }
    #expect(error?.detail == "class \"cow\" has no folder among the training pictures")
  }

  @Test func fingerprintSeesPathsSizesAndLabels() throws {
    let task = LabelSet(name: "class", classes: ["a", "b"])
    func print(_ path: String, _ label: Int?, _ size: Int?, _ part: SplitPart? = nil) -> String {
      Dataset(
        root: "/", tasks: [task], samples: [Sample(path: path, labels: [label], part: part, byteCount: size)]
      ).fingerprint
    }
    let prints = [
      print("x", 0, 1), print("y", 0, 1), print("x", 1, 1), print("x", nil, 1), print("x", 0, 2), print("x", 0, nil),
      print("x", 0, 1, .test),
    ]
    #expect(Set(prints).count == prints.count)
    #expect(prints.allSatisfy { $0.count == 64 && $0.allSatisfy { "0123456789abcdef".contains($0) } })
    #expect(print("x", 0, 1) == prints[0])
    // The empty data set: the digest of 16 zero bytes.
    #expect(
      Dataset(root: "/", tasks: [], samples: []).fingerprint
        == "374708fff7719dd5979ec875d56cd2286f6d3cf7ec317a3b25632aab28ec37bb")
  }
}
