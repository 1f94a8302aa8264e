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
