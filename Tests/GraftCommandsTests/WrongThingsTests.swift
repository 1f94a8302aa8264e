import Foundation
import Graft
import HDF5Files
import Testing

@Suite("Wrong things, tried as a new user would")
struct WrongThingsTests {
  private let place: Workplace

  init() throws {
    place = try Workplace()
    try place.writeBackbone()
  }

  @Test("An empty folder")
  func emptyFolder() throws {
    try FileManager.default.createDirectory(atPath: "\(place.path)/pictures", withIntermediateDirectories: true)
    let outcome = try place.train("pictures")
    #expect(outcome.failed(saying: "pictures: expected a folder for each class", "an empty folder"), "\(outcome)")
    #expect(!FileManager.default.fileExists(atPath: "\(place.path)/run"))
  }

  @Test("A folder that is not there")
  func missingFolder() throws {
    let outcome = try place.train("picturse")
    #expect(outcome.failed(saying: "picturse", "does not exist"), "\(outcome)")
  }

  @Test("One class")
  func oneClass() throws {
    try place.writeClass("red", colour: 0, count: 4)
    let outcome = try place.train("pictures")
    #expect(outcome.failed(saying: "at least two class folders", "red"), "\(outcome)")
  }

  @Test("A class with one picture")
  func onePicture() throws {
    try place.writePictures(count: 4)
    try place.writeClass("grey", colour: 3, count: 1)
    let outcome = try place.train("pictures")
    #expect(outcome.failed(saying: "class \"grey\"", "at least two pictures", "found 1"), "\(outcome)")
  }

  @Test("A text file named .jpg is named and left out")
  func textFile() throws {
    try place.writePictures()
    try place.write(Data("no picture".utf8), to: "pictures/red/notes.jpg")
    let outcome = try place.train("pictures")
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.error.contains("left out: pictures/red/notes.jpg: expected a JPEG"), "\(outcome)")
  }

  @Test("A truncated PNG beside a text file is one too many")
  func truncatedPicture() throws {
    try place.writePictures()
    try place.write(Data("no picture".utf8), to: "pictures/red/notes.jpg")
    try place.write(try Data(contentsOf: fixture("pictures/bad-truncated.png")), to: "pictures/red/half.png")
    let outcome = try place.train("pictures")
    #expect(outcome.failed(saying: "2 of 26 pictures cannot be read", "red/half.png", "red/notes.jpg"), "\(outcome)")
    #expect(!FileManager.default.fileExists(atPath: "\(place.path)/run"))
    #expect(try place.train("pictures", "--max-bad-files", "2").status == 0)
  }

  @Test("A missing backbone")
  func missingBackbone() throws {
    try place.writePictures(count: 4)
    let outcome = try place.graft("train", "--data", "pictures", "--backbone", "resnet5000", "--output", "run")
    #expect(outcome.failed(saying: "resnet5000", "neither a file nor a pretrained model"), "\(outcome)")
  }

  @Test(
    "A weight file that is not there", arguments: ["weights.h5", "folder/weights", "a.KERAS", "parts.weights.json"])
  func missingFile(name: String) throws {
    for command in [["inspect", name], ["verify", name], ["export", name, "--format", "h5", "--output", "out.h5"]] {
      let outcome = try Program.run(command, in: place.path)
      #expect(outcome.failed(saying: "graft: \(name): does not exist"), "\(outcome)")
    }
  }

  @Test("The input is no place to cut")
  func cutAtInput() throws {
    try place.writePictures(count: 2)
    let outcome = try place.train("pictures", "--cut-at", "pictures")
    #expect(
      outcome.failed(saying: "layer pictures: is the input, behind which nothing would be left", "relu2"), "\(outcome)")
  }

  @Test("A weights file of a network that no family has")
  func foreignWeights() throws {
    try place.writePictures(count: 4)
    try HDF5File.write(to: "\(place.path)/resnet50_weights.h5") { root in
      try root.attributes.set(.strings(["conv"]), named: "layer_names")
      let group = try root.createGroup("conv")
      try group.attributes.set(.strings(["conv/kernel:0"]), named: "weight_names")
      try group.write(Tensor(zeros: [3, 3, 3, 8]), named: "conv/kernel:0")
    }
    let outcome = try place.graft("train", "--data", "pictures", "--backbone", "resnet50_weights.h5", "--output", "run")
    #expect(outcome.failed(saying: "resnet50_weights.h5", "fit none of the", "families in code"), "\(outcome)")
  }

  @Test("A picture given as a backbone")
  func pictureAsBackbone() throws {
    try place.writePictures(count: 4)
    let picture = "pictures/red/picture0.bmp"
    let outcome = try place.graft("train", "--data", "pictures", "--backbone", picture, "--output", "run")
    #expect(outcome.failed(saying: picture, "is no file of Keras"), "\(outcome)")
  }

  @Test("An output that cannot be made")
  func unwritableOutput() throws {
    try place.writePictures(count: 4)
    let outcome = try place.train("pictures", output: "small.h5/run")
    #expect(outcome.failed(saying: "small.h5/run: the folder cannot be made"), "\(outcome)")
  }

  @Test("A run folder that is there is kept, and replaced when asked for")
  func existingRun() throws {
    try place.writePictures(count: 4)
    try place.write(Data("mine".utf8), to: "run/notes.txt")
    let outcome = try place.train("pictures")
    #expect(outcome.failed(saying: "run: is not empty", "--force"), "\(outcome)")
    #expect(try place.train("pictures", "--force").status == 0)
    #expect(FileManager.default.fileExists(atPath: "\(place.path)/run/notes.txt"))
    #expect(try place.train("pictures").failed(saying: "run: holds a run already"))
  }

  @Test("A full disk", .enabled(if: TemporaryFileSystem.isPossible, "mounting takes root"))
  func fullDisk() throws {
    try place.writePictures(count: 4)
    let disk = try TemporaryFileSystem(at: "\(place.path)/disk", kibibytes: 16)
    let outcome = try place.train("pictures", output: "disk/run")
    withExtendedLifetime(disk) {}
    #expect(outcome.failed(saying: "disk/run", "No space left on device"), "\(outcome)")
  }

  @Test("A full disk behind standard output", .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func fullOutput() throws {
    let outcome = try place.graft("inspect", "small.h5", "--json", stdout: "/dev/full")
    #expect(outcome.failed(saying: "standard output", "No space left on device"), "\(outcome)")
  }

  @Test(
    "Wrong usage ends with status 2 and says what was expected",
    arguments: [
      (["train", "--data", "x"], "--output"),
      (["train", "--data", "x", "--output", "y", "--epochs", "0"], "--epochs must be from 1"),
      (["train", "--data", "x", "--output", "y", "--learning-rate", "nan"], "more than 0"),
      (["train", "--data", "x", "--output", "y", "--optimizer", "lyon"], "lion"),
      (["train", "--data", "x", "--output", "y", "--split", "70/30"], "70/15/15"),
      (["train", "--data", "x", "--output", "y", "--schedule", "later"], "probe-then-tune"),
      (["train", "--data", "x", "--output", "y", "--schedule", "last:0"], "last:N"),
      (["train", "--data", "x", "--output", "y", "--loss", "hinge"], "expected cross-entropy, focal, or focal:2"),
      (["train", "--data", "x", "--output", "y", "--label-smoothing", "1"], "at least 0 and below 1, but is 1.0"),
      (["schedule", "slow"], "schedule slow: expected probe-then-tune, head, full, gradual"),
      (["schedule", "head", "--backbone", ""], "--backbone must not be empty"),
      (["inspect", "x", "--select", "stage"], "expected all, none, head"),
      (["inspect", "x", "--select", "layer:/(/"], "a parenthesis is never closed"),
      (["bench", "vgg16", "--batch-size", "0"], "--batch-size must be from 1"),
      (["predict", "model.keras"], "image"),
      (["train", "--output", "y"], "name the pictures with --data, the run.yaml of an earlier run with --config"),
      (["train", "--config", "r.yaml", "--data", "x", "--output", "y"], "leave out --data"),
      (
        ["train", "--config", "r.yaml", "--output", "y", "--seed", "1", "--by-name"],
        "--config holds every option of the run: leave out --seed, --by-name"
      ),
      (["train", "--data", "", "--output", "y"], "--data must not be empty"),
      (["train", "--data", "x", "--output", ""], "--output must not be empty"),
      (["train", "--data", "x", "--output", "y", "--cut-at", ""], "--cut-at must not be empty"),
      (["inspect", ""], "<file> must not be empty"),
      (["export", "m", "--format", "h5", "--output", ""], "--output must not be empty"),
      (["bench", "m.h5", "--load", "--by-name"], "--load reads the whole file in both ways: leave out --by-name"),
      (["fly"], "fly"),
    ])
  func usage(arguments: [String], expected: String) throws {
    let outcome = try Program.run(arguments, in: place.path)
    #expect(outcome.status == 2)
    #expect(outcome.output.isEmpty)
    #expect(outcome.error.contains(expected), "\(outcome.error)")
  }
}

/// A small file system in memory, unmounted with its owner.
private final class TemporaryFileSystem {
  private let path: String

  /// Whether this process may mount.
  static let isPossible: Bool = {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("graft-\(UUID().uuidString)").path
    return (try? TemporaryFileSystem(at: path, kibibytes: 4)) != nil
  }()

  init(at path: String, kibibytes: Int) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    self.path = path
    let outcome = try Program.run(
      executable: "/usr/bin/env", ["mount", "-t", "tmpfs", "-o", "size=\(kibibytes)k", "tmpfs", path], in: "/")
    guard outcome.status == 0 else { throw CocoaError(.fileWriteNoPermission) }
  }

  deinit {
    _ = try? Program.run(executable: "/usr/bin/env", ["umount", path], in: "/")
    try? FileManager.default.removeItem(atPath: path)
  }
}
