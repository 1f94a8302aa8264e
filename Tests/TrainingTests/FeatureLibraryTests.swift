import Engine
import Foundation
import Freezing
import Graphs
import Models
import Tensors
import Testing
import TinyRuns
import Training

/// Features that one run leaves to the next.
@EngineActor
@Suite struct FeatureLibraryTests {
  private static let schedule = Schedule(phases: [
    Phase(name: "probe", train: .head, epochs: 2, learningRate: .constant(1e-2)),
    Phase(name: "tune", train: .head + .stages(last: 1), epochs: 2, learningRate: .constant(1e-3)),
  ])

  private struct Outcome: Equatable {
    let weights: Weights
    let reused: [Int]
  }

  private func run(
    _ tiny: TinyRun = TinyRun(), in folder: TemporaryFolder?, byteLimit: Int = 1 << 20,
    change: (inout Model) -> Void = { _ in }
  ) throws -> Outcome {
    var model = try TinyNetwork.model(tasks: tiny.tasks)
    change(&model)
    let trainer = try Trainer(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data, schedule: Self.schedule,
      options: tiny.options, library: folder.map { FeatureLibrary(folder: $0.path, byteLimit: byteLimit) })
    let phases = try trainer.run()
    return Outcome(weights: trainer.parameters.snapshot(), reused: phases.map(\.reusedFeatures))
  }

  @Test(arguments: [TrainingData.Augmentation.none, .flip, .variants(2)], [TrainingPrecision.f32, .bf16])
  func aLaterRunTakesThemAndMakesTheSameBits(
    _ augmentation: TrainingData.Augmentation, precision: TrainingPrecision
  ) throws {
    var tiny = TinyRun()
    tiny.augmentation = augmentation
    tiny.options.precision = precision
    let folder = try TemporaryFolder()
    let alone = try run(tiny, in: nil)
    let first = try run(tiny, in: folder)
    let second = try run(tiny, in: folder)
    let forms = [TrainingData.Augmentation.none: 22, .flip: 44, .variants(2): 44][augmentation] ?? 0
    #expect(alone.reused == [0, 0])
    #expect(first.reused == [0, 0])
    // The second phase finds what the first one has taken along.
    #expect(second.reused == [forms + 8, 0])
    #expect(first.weights == alone.weights)
    #expect(second.weights == alone.weights)
    #expect(try folder.contents().count == 2)
  }

  @Test func anotherOrderAndAnotherDivisionFindThemToo() throws {
    let folder = try TemporaryFolder()
    _ = try run(in: folder)
    var other = TinyRun()
    other.options.seed = 8
    let without = try run(other, in: nil)
    let with = try run(other, in: folder)
    #expect(with.reused == [30, 0])
    #expect(with.weights == without.weights)
  }

  @Test func anotherNetworkOrOtherPicturesDoNot() throws {
    let folder = try TemporaryFolder()
    _ = try run(in: folder)
    let changed = try run(in: folder) { model in
      model.weights[ParameterPath("stem_conv", "kernel")]?.withMutableFloats { $0[0] += 1 }
    }
    #expect(changed.reused == [0, 0])
    var other = TinyRun()
    other.classes = (0..<38).map { ($0 + 1) % 3 }
    #expect(try run(other, in: folder).reused == [0, 0])
    var rounded = TinyRun()
    rounded.options.precision = .bf16
    #expect(try run(rounded, in: folder).reused == [0, 0])
  }

  @Test(arguments: 0..<12 as Range<UInt64>)
  func aDamagedFileCountsAsNotThere(seed: UInt64) throws {
    let folder = try TemporaryFolder()
    let sound = try run(in: folder)
    let draws = Tensor(generatedFor: "\(seed)", shape: [2], factor: 1, summand: 0).floats
    for name in try folder.contents() {
      let url = URL(fileURLWithPath: "\(folder.path)/\(name)")
      var data = try Data(contentsOf: url)
      let place = Int(Double(draws[0]) * Double(data.count - 1))
      if seed.isMultiple(of: 3) { data = data.prefix(place) } else { data[place] ^= UInt8(1 + draws[1] * 254) }
      try data.write(to: url)
    }
    let again = try run(in: folder)
    #expect(again.reused == [0, 0], "seed \(seed)")
    #expect(again.weights == sound.weights, "seed \(seed)")
    #expect(try run(in: folder).reused == [30, 0], "seed \(seed)")
  }

  @Test func whatOutgrowsTheLimitGivesWay() throws {
    let folder = try TemporaryFolder()
    _ = try run(in: folder)
    let byteCount = try folder.contents().reduce(0) { sum, name in
      sum + (try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(name)")[.size] as? Int ?? 0)
    }
    // Room for two files of one network, not for those of another beside them.
    _ = try run(in: folder, byteLimit: byteCount * 2 - 1) { model in
      model.weights[ParameterPath("stem_conv", "kernel")]?.withMutableFloats { $0[0] += 1 }
    }
    #expect(try folder.contents().count < 4)
    let small = try TemporaryFolder()
    _ = try run(in: small, byteLimit: 100)
    #expect(try small.contents() == [])
  }

  @Test func whatKilledRunsLeftIsRemovedAndWhatOthersWriteIsCounted() throws {
    let folder = try TemporaryFolder()
    // No process has so large a number; one has that of the parent.
    let gone = "a.features.1999999999.part"
    let mine = "b.features.\(getpid()).part"
    let others = "c.features.\(getppid()).part"
    let strange = ["notes.part", "d.features.part", "e.features.x.part"]
    for name in [gone, mine, others] + strange {
      #expect(FileManager.default.createFile(atPath: "\(folder.path)/\(name)", contents: Data(count: 1 << 19)))
    }
    _ = try run(in: folder, byteLimit: 1 << 20)
    let left = try folder.contents()
    #expect(!left.contains(gone) && !left.contains(mine))
    #expect(left.contains(others) && strange.allSatisfy { left.contains($0) })
    #expect(left.filter { $0.hasSuffix(".features") }.count == 2)
    // What somebody writes takes all room that there is.
    let full = try TemporaryFolder()
    #expect(FileManager.default.createFile(atPath: "\(full.path)/\(others)", contents: Data(count: 1 << 20)))
    _ = try run(in: full, byteLimit: 1 << 20)
    #expect(try full.contents() == [others])
  }

  @Test func aFolderThatCannotBeWrittenToIsNoReasonToFail() throws {
    let folder = try TemporaryFolder()
    #expect(FileManager.default.createFile(atPath: "\(folder.path)/taken", contents: nil))
    var model = try TinyNetwork.model(tasks: TinyRun().tasks)
    model.weights[ParameterPath("stem_conv", "kernel")]?.withMutableFloats { $0[0] += 1 }
    let trainer = try Trainer(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: TinyRun().data,
      schedule: Self.schedule, options: TinyRun().options,
      library: FeatureLibrary(folder: "\(folder.path)/taken/features"))
    #expect(try trainer.run().count == 2)
  }
}
