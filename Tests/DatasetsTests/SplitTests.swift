import Datasets
import Testing

@Suite struct SplitTests {
  private func dataset(counts: [Int]) -> Dataset {
    let labels = counts.enumerated().flatMap { Array(repeating: $0.offset, count: $0.element) }
    let samples = labels.enumerated().map { Sample(path: "\($0.offset)", labels: [$0.element]) }
    let task = LabelSet(name: "class", classes: counts.indices.map { "c\($0)" })
    return Dataset(root: "/", tasks: [task], samples: samples)
  }

  @Test(arguments: 1...30 as ClosedRange<UInt64>)
  func everyPartGetsItsShareOfEveryClass(seed: UInt64) throws {
    let counts = [3, 4, 7, 10, 40, 41, 100, 333]
    let dataset = dataset(counts: counts)
    let split = try Split(dataset, seed: seed)
    #expect((split.training + split.validation + split.test).sorted() == Array(dataset.samples.indices))
    for (part, share) in [(SplitPart.training, 0.7), (.validation, 0.15), (.test, 0.15)] {
      #expect(split[part] == split[part].sorted())
      for (label, count) in counts.enumerated() {
        let got = split[part].count { dataset.samples[$0].labels == [label] }
        #expect(got >= 1)
        // At least one goes into each part, which small classes take from training.
        let wanted = part == .training ? Double(count) - 2 * max(1, 0.15 * Double(count)) : share * Double(count)
        #expect(abs(Double(got) - max(1, wanted)) <= 1, "class of \(count): \(got) in \(part)")
      }
    }
  }

  @Test func aSeedMeansOneSplitAndAnotherSeedAnother() throws {
    let dataset = dataset(counts: [20, 20])
    #expect(try Split(dataset, seed: 5) == Split(dataset, seed: 5))
    #expect(try Set((1...20 as ClosedRange<UInt64>).map { try Split(dataset, seed: $0) }).count == 20)
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func severalTasksAreSpreadTogether(seed: UInt64) throws {
    let tasks = [LabelSet(name: "kind", classes: ["a", "b", "c"]), LabelSet(name: "rare", classes: ["x", "y"])]
    let samples = (0..<300).map { number in
      Sample(path: "\(number)", labels: [number % 5 == 4 ? nil : number % 3, number % 10 == 0 ? number / 10 % 2 : nil])
    }
    let dataset = Dataset(root: "/", tasks: tasks, samples: samples)
    let split = try Split(dataset, seed: seed)
    for (position, task) in tasks.enumerated() {
      for label in task.classes.indices {
        let members = samples.indices.filter { samples[$0].labels[position] == label }
        for (part, share) in [(SplitPart.training, 0.7), (.validation, 0.15), (.test, 0.15)] {
          let got = Set(split[part]).intersection(members).count
          #expect(abs(Double(got) - share * Double(members.count)) <= 3, "\(task.name) \(label) in \(part): \(got)")
          #expect(got > 0)
        }
      }
    }
  }

  @Test func twoPicturesTrainAndValidateAndASinglePictureIsAnError() throws {
    let split = try Split(dataset(counts: [2, 2]), seed: 1)
    #expect(split.training.count == 2 && split.validation.count == 2 && split.test.isEmpty)
    let error = datasetError { _ = try Split(dataset(counts: [5, 1]), seed: 1) }
    #expect(error?.code == .split)
    #expect(
      error?.description
        == "class \"c1\": expected at least two pictures, one to train and one to validate, found 1")
  }

  @Test func noTestPartIsMadeWhereNoneIsWanted() throws {
    let split = try Split(dataset(counts: [10, 10]), fractions: SplitFractions(parsing: "80/20/0"), seed: 1)
    #expect(split.training.count == 16 && split.validation.count == 4 && split.test.isEmpty)
  }

  @Test func aClassWithoutTrainingPicturesIsAnError() {
    let task = LabelSet(name: "class", classes: ["a", "b"])
    let samples = [
      Sample(path: "1", labels: [0], part: .training), Sample(path: "2", labels: [0], part: .validation),
      Sample(path: "3", labels: [1], part: .validation),
    ]
    let error = datasetError { _ = try Split(Dataset(root: "/", tasks: [task], samples: samples), seed: 1) }
    #expect(error?.description == "class \"b\": no picture of it is left to train on")
  }

  @Test func fractionsAreParsed() throws {
    let fractions = try SplitFractions(parsing: "8/1/1")
    #expect(abs(fractions.training - 0.8) < 1e-12 && abs(fractions.test - 0.1) < 1e-12)
    for text in ["", "70/30", "70/15/15/0", "a/b/c", "0/50/50", "70/0/30", "-1/1/1", "nan/1/1", "inf/1/1"] {
      #expect(datasetError { _ = try SplitFractions(parsing: text) }?.code == .option, "\(text)")
    }
  }

  @Test func anEpochGoesThroughEverySampleInAnOrderOfItsOwn() {
    let samples = Array(10..<60)
    let first = SampleOrder.shuffled(samples, seed: 1, epoch: 0)
    #expect(first.sorted() == samples && first != samples)
    #expect(first == SampleOrder.shuffled(samples, seed: 1, epoch: 0))
    #expect(first != SampleOrder.shuffled(samples, seed: 1, epoch: 1))
    #expect(first != SampleOrder.shuffled(samples, seed: 2, epoch: 0))
  }
}
