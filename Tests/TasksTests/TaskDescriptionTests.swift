import Foundation
import Tasks
import Testing

@Suite struct TaskDescriptionTests {
  @Test(
    arguments: [ClassWeighting.none, .balanced, .explicit([0.5, 2])],
    [TaskDescription.Loss.crossEntropy, .focal(), .focal(gamma: 0.5)])
  func whatIsWrittenIsReadAgain(weighting: ClassWeighting, loss: TaskDescription.Loss) throws {
    let task = TaskDescription(
      name: "kind", kind: .classification(classes: ["bird", "fruit"]), weight: 0.5, labelSmoothing: 0.1,
      loss: loss, classWeighting: weighting)
    let data = try JSONEncoder().encode([task])
    #expect(try JSONDecoder().decode([TaskDescription].self, from: data) == [task])
  }

  @Test func aLossMayBeNamedAlone() throws {
    let text = #"{"name": "kind", "kind": "classification", "classes": ["bird", "fruit"], "loss": "focal"}"#
    #expect(try JSONDecoder().decode(TaskDescription.self, from: Data(text.utf8)).loss == .focal(gamma: 2))
  }

  @Test func aTaskTrainsAndMeasuresItsLoss() throws {
    var task = TaskDescription(kind: .classification(classes: ["bird", "fruit"]), classWeighting: .explicit([1, 3]))
    #expect(task.trainingLoss(counts: [1, 1]) is SoftmaxCrossEntropy)
    task.loss = .focal(gamma: 3)
    task.labelSmoothing = 0.1
    let training = try #require(task.trainingLoss(counts: [1, 1]) as? FocalLoss)
    let measured = try #require(task.measuredLoss as? FocalLoss)
    #expect(training.gamma == 3 && training.labelSmoothing == 0.1 && training.classFactors == [1, 3])
    #expect(measured == training.forEvaluation)
  }

  @Test func optionsHaveDefaults() throws {
    let text = #"{"name": "kind", "kind": "classification", "classes": ["bird", "fruit"]}"#
    let task = try JSONDecoder().decode(TaskDescription.self, from: Data(text.utf8))
    #expect(task == TaskDescription(name: "kind", kind: .classification(classes: ["bird", "fruit"])))
  }

  @Test(arguments: [
    (#""classes": ["bird"]"#, "kind: a classification needs at least two classes, but has 1"),
    (#""classes": ["bird", "bird"]"#, "kind: two classes are called bird"),
    (#""classes": ["a", "b"], "weight": 0"#, "kind: weight must be more than 0, but is 0.0"),
    (
      #""classes": ["a", "b"], "labelSmoothing": 1"#,
      "kind: labelSmoothing must be at least 0 and below 1, but is 1.0"
    ),
    (#""classes": ["a", "b"], "loss": "hinge""#, "loss hinge: expected crossEntropy or focal"),
    (
      #""classes": ["a", "b"], "loss": {"focal": {"gamma": -1}}"#, "kind: gamma must be from 0 to 100, but is -1.0"
    ),
    (
      #""classes": ["a", "b"], "classWeights": [1]"#,
      "kind: classWeights must be 2 numbers of 0 or more, not all 0, but are [1.0]"
    ),
    (
      #""classes": ["a", "b"], "classWeights": "even""#,
      "classWeights: expected none, balanced or a number for each class, found even"
    ),
  ])
  func whatCannotBeLearntIsRefusedInOneSentence(fields: String, message: String) {
    let text = #"{"name": "kind", "kind": "classification", \#(fields)}"#
    let error = #expect(throws: TaskError.self) {
      try JSONDecoder().decode(TaskDescription.self, from: Data(text.utf8))
    }
    #expect(error?.description == message)
  }

  @Test func tasksOfOneModelHaveDifferentNames() {
    let task = TaskDescription(kind: .classification(classes: ["bird", "fruit"]))
    #expect(throws: TaskError(.unfitName, subject: "class", detail: "two tasks have this name")) {
      try [task, task].validate()
    }
    #expect(throws: TaskError.self) { try [TaskDescription]().validate() }
  }
}
