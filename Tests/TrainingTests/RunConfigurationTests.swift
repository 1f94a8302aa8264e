import Foundation
import Freezing
import Tasks
import Testing
import Training

@Suite struct RunConfigurationTests {
  private var configuration: RunConfiguration {
    RunConfiguration(
      data: RunConfiguration.Data(path: "pictures", fingerprint: "abc", augmentation: .standard),
      backbone: RunConfiguration.Backbone(source: "efficientnet-lite0", sha256: "def", imageSize: 224),
      tasks: [TaskDescription(kind: .classification(classes: ["no", "yes", "1", "a: b"]), classWeighting: .balanced)],
      schedule: .probeThenTune, options: TrainingOptions(microBatchSize: 4, seed: .max))
  }

  @Test func aConfigurationComesBackFromItsYAML() throws {
    let text = try configuration.yaml()
    let read = try RunConfiguration(yaml: text, name: "run.yaml")
    #expect(read == configuration, "\(text)")
  }

  @Test func theWayInWhichAFileWasLoadedComesBack() throws {
    var configuration = configuration
    var loading = RunConfiguration.Loading()
    loading.family = "vgg16"
    loading.matching = .shapes
    loading.tolerance = [.unused, .mismatched]
    loading.knownClasses = ["mine>Window": "Conv2D", "Sharper": "Dense"]
    loading.kernelOrientation = .convolution
    loading.isTrusted = true
    configuration.backbone.cutAt = "block5_pool"
    for loading in [loading, RunConfiguration.Loading()] {
      configuration.backbone.loading = loading
      let text = try configuration.yaml()
      #expect(try RunConfiguration(yaml: text, name: "run.yaml") == configuration, "\(text)")
    }
    let short = try configuration.yaml().replacing("    tolerance: []\n", with: "").replacing(
      "    isTrusted: false\n", with: "")
    #expect(try RunConfiguration(yaml: short, name: "run.yaml") == configuration, "\(short)")
  }

  @Test(arguments: [
    ("path: pictures", "paths: pictures", "data has no path"),
    ("dropout: ", "droop: 1\n  dropout: ", "there is no option backbone.droop; the nearest are dropout, "),
    (
      "matching: automatic", "matchin: names", "there is no option backbone.loading.matchin; the nearest are matching, "
    ),
    ("matching: automatic", "matching: wildly", "Cannot initialize Matching from invalid String value wildly"),
    ("version: 1", "verbosity: 2\nversion: 1", "there is no option verbosity; the nearest are version, "),
  ])
  func anOptionThatIsNotKnownIsRefused(old: String, new: String, sentence: String) throws {
    var configuration = configuration
    configuration.backbone.loading = RunConfiguration.Loading()
    let text = try configuration.yaml()
    #expect(text.contains(old), "\(text)")
    let changed = text.replacing(old, with: new)
    let error = #expect(throws: TrainingError.self) { try RunConfiguration(yaml: changed, name: "run.yaml") }
    #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
  }

  @Test func aFileThatHoldsNoConfigurationIsNamed() throws {
    let folder = try TemporaryFolder()
    for (bytes, sentence) in [
      ("", "expected the run.yaml of a run, found nothing"), ("[1, 2", "run.yaml: "), ("just words", "run.yaml: "),
    ] {
      let path = "\(folder.path)/run.yaml"
      try Data(bytes.utf8).write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: TrainingError.self) { try RunConfiguration(contentsOf: path) }
      #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }
    let missing = #expect(throws: TrainingError.self) { try RunConfiguration(contentsOf: "\(folder.path)/none.yaml") }
    #expect(missing?.description == "\(folder.path)/none.yaml: cannot be read: No such file or directory")
  }

  @Test func whatIsWrongInATextIsNamed() throws {
    let text = try configuration.yaml()
    let renamed = text.replacing("path: pictures", with: "folder: pictures")
    let error = #expect(throws: TrainingError.self) { try RunConfiguration(yaml: renamed, name: "run.yaml") }
    #expect(error?.description == "run.yaml: data has no path")
    let newer = text.replacing("version: 1", with: "version: 2")
    let other = #expect(throws: TrainingError.self) { try RunConfiguration(yaml: newer, name: "run.yaml") }
    #expect(other?.description == "run.yaml: expected version 1, found 2")
  }
}
