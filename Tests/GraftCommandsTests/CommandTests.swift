import Foundation
import Graft
import Testing

@Suite("The command, from training to export")
struct CommandTests {
  private let place: Workplace

  init() throws {
    place = try Workplace()
    try place.writeBackbone()
    try place.writePictures()
    let outcome = try place.train("pictures", "--json", "--seed", "7")
    try #require(outcome.status == 0, "\(outcome.error)")
    try place.write(Data(outcome.output.utf8), to: "result.json")
  }

  @Test("train prints what result.json holds, with every key that is promised")
  func result() throws {
    let printed = try Data(contentsOf: URL(fileURLWithPath: "\(place.path)/result.json"))
    let written = try Data(contentsOf: URL(fileURLWithPath: "\(place.path)/run/result.json"))
    let one = try #require(try JSONSerialization.jsonObject(with: printed) as? NSDictionary)
    #expect(one == (try JSONSerialization.jsonObject(with: written) as? NSDictionary))
    let expected = ["loading", "model", "peakResidentBytes", "phases", "seconds", "seed", "test", "validation"]
    #expect((one.allKeys as? [String])?.sorted() == expected)
    #expect(one["seed"] as? Int == 7)
    let phases = try #require(one["phases"] as? [[String: Any]])
    #expect(phases.compactMap { $0["name"] as? String } == ["probe", "refit probe"])
    for key in ["trainableParameters", "epochs", "seconds", "imagesPerSecond", "cached"] {
      #expect(phases[0][key] != nil, "\(key) is missing")
    }
    let test = try #require(one["test"] as? [String: [String: Any]])
    #expect(test["class"]?["accuracy"] is Double)
  }

  @Test("train computes in the precision that is asked for, and says so in run.yaml", arguments: ["f32", "bf16"])
  func precision(_ name: String) throws {
    let outcome = try place.graft(
      "train", "--data", "pictures", "--backbone", "small.h5", "--output", name, "--epochs", "1", "--precision", name)
    #expect(outcome.status == 0, "\(outcome)")
    let record = try String(contentsOfFile: "\(place.path)/\(name)/run.yaml", encoding: .utf8)
    #expect(record.contains("frozen: \(name)") && record.contains("trained: \(name)"), "\(record)")
  }

  @Test("train says what its recipe has chosen and why, but not what it was told")
  func recipe() throws {
    let outcome = try place.graft(
      "train", "--data", "pictures", "--backbone", "small.h5", "--output", "recipe", "--epochs", "1", "--recipe",
      "best", "--batch-size", "4", "--mixup", "0.2", "--cutmix", "1")
    #expect(outcome.status == 0, "\(outcome)")
    let lines = outcome.error.split(separator: "\n").filter { $0.hasPrefix("recipe best, for ") }
    #expect(lines.count == 1, "\(outcome.error)")
    #expect(lines.first?.contains("pictures mirrored by chance") == true)
    #expect(lines.first?.contains("pictures a step") == false)
    let record = try RunConfiguration(contentsOf: "\(place.path)/recipe/run.yaml")
    #expect(record.schedule.refit && record.options.batchSize == 4)
    #expect(record.options.mixing == Mixing(mixup: 0.2, cutmix: 1))
    #expect(record.schedule.phases.allSatisfy { $0.epochs == 1 })
  }

  @Test("train takes the loss that is asked for, and says so in run.yaml")
  func loss() throws {
    let outcome = try place.graft(
      "train", "--data", "pictures", "--backbone", "small.h5", "--output", "focal", "--epochs", "1", "--loss",
      "focal:3",
      "--label-smoothing", "0.1")
    #expect(outcome.status == 0, "\(outcome)")
    let record = try RunConfiguration(contentsOf: "\(place.path)/focal/run.yaml")
    #expect(record.tasks.map(\.loss) == [.focal(gamma: 3)])
    #expect(record.tasks.map(\.labelSmoothing) == [0.1])
  }

  @Test("predict names the likeliest classes of each picture")
  func predict() throws {
    let files = ["pictures/red/picture0.bmp", "pictures/blue/picture1.bmp"]
    let outcome = try place.graft("predict", "run/model.keras", files[0], files[1], "--top", "3", "--json")
    #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome)")
    let answers = try #require(try outcome.json() as? [[String: Any]])
    #expect(answers.compactMap { $0["file"] as? String } == files)
    for answer in answers {
      #expect(answer["task"] as? String == "class")
      let top = try #require(answer["top"] as? [[String: Any]])
      #expect(Set(top.compactMap { $0["class"] as? String }) == ["red", "green", "blue"])
      #expect(Set(top.compactMap { $0["index"] as? Int }) == [0, 1, 2])
      let probabilities = top.compactMap { $0["probability"] as? Double }
      #expect(probabilities == probabilities.sorted(by: >))
      #expect(abs(probabilities.reduce(0, +) - 1) < 1e-5)
    }
  }

  @Test("predict answers what it can and fails for what it cannot")
  func partialPrediction() throws {
    let outcome = try place.graft("predict", "run/model.keras", "small.h5", "pictures/red/picture0.bmp")
    #expect(outcome.status == 1)
    #expect(outcome.output.hasPrefix("pictures/red/picture0.bmp: "), "\(outcome)")
    #expect(outcome.error.contains("small.h5: expected a JPEG"), "\(outcome)")
  }

  @Test("evaluate measures every task")
  func evaluate() throws {
    let outcome = try place.graft("evaluate", "run/model.keras", "--data", "pictures", "--json")
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.error.contains("trained on a part of these pictures"))
    let tasks = try #require(try outcome.json() as? [String: [String: Any]])
    #expect(tasks["class"]?["count"] as? Int == 24)
    #expect(tasks["class"]?["accuracy"] is Double)
    #expect(tasks["class"]?["confusion"] is [[Int]])
  }

  @Test("evaluate refuses classes that the model does not know")
  func foreignClasses() throws {
    try place.writeClass("yellow", colour: 3, count: 2, in: "other")
    try place.writeClass("red", colour: 0, count: 2, in: "other")
    let outcome = try place.graft("evaluate", "run/model.keras", "--data", "other")
    #expect(outcome.failed(saying: "other", "class \"yellow\" is none of the model's 3"), "\(outcome)")
  }

  @Test("verify keeps its promise, and finds a model that was changed")
  func verify() throws {
    let outcome = try place.graft("verify", "run/model.keras", "--json")
    #expect(outcome.status == 0, "\(outcome)")
    #expect((try outcome.json() as? [String: Any])?["deviation"] is Double)
    var model = try Model.read("\(place.path)/run/model.keras")
    model.weights[ParameterPath("head_dense", "bias")]?.withMutableFloats { $0[0] += 0.1 }
    try model.write(to: "\(place.path)/changed.keras")
    #expect(try place.graft("verify", "changed.keras").failed(saying: "changed.keras", "are off by"))
    #expect(try place.graft("verify", "small.h5").failed(saying: "small.h5", "carries no sample"))
  }

  @Test("export writes the same model, and replaces nothing unasked", arguments: ["h5", "keras"])
  func export(format: String) throws {
    let outcome = try place.graft("export", "run/model.keras", "--format", format, "--output", "out.\(format)")
    #expect(outcome.status == 0 && outcome.output == "out.\(format)\n", "\(outcome)")
    let written = try Model.read("\(place.path)/out.\(format)")
    let kept = try Model.read("\(place.path)/run/model.keras")
    #expect(written.graph == kept.graph)
    #expect(written.weights == kept.weights)
    #expect(written.document == kept.document)
    #expect(try place.graft("verify", "out.\(format)").status == 0)
    let again = try place.graft("export", "run/model.keras", "--format", format, "--output", "out.\(format)")
    #expect(again.failed(saying: "is there already", "--force"), "\(again)")
  }

  @Test("a model that was trained can be trained on")
  func again() throws {
    let outcome = try place.graft(
      "train", "--data", "pictures", "--backbone", "run/model.keras", "--output", "second", "--epochs", "1")
    #expect(outcome.status == 0, "\(outcome)")
  }

  @Test("apply runs the network as stored on raw numbers")
  func apply() throws {
    let model = try Model.read("\(place.path)/run/model.keras")
    let input = Tensor(generatedFor: "apply", shape: [5, 32, 32, 3], factor: 255, summand: 0)
    try input.write(npy: "\(place.path)/x.npy")
    #expect(try place.graft("apply", "run/model.keras", "--input", "x.npy", "--output", "y.npy").status == 0)
    let rows = try Tensor(npy: "\(place.path)/y.npy")
    #expect(rows.shape == [5, 3])
    #expect(rows.floats.reduce(0, +).rounded(.toNearestOrEven) == 5)
    let layer = ["apply", "run/model.keras", "--input", "x.npy", "--output", "z.npy", "--layer"]
    #expect(try Program.run(layer + ["relu2"], in: place.path).status == 0)
    #expect(try Tensor(npy: "\(place.path)/z.npy").shape == [5, 8, 8, 16])
    #expect(try Program.run(layer + ["relu3"], in: place.path).failed(saying: "no layer relu3", "relu2"))
    try Tensor(zeros: [5, 30, 32, 3]).write(npy: "\(place.path)/x.npy")
    let wrong = try place.graft("apply", "run/model.keras", "--input", "x.npy", "--output", "y.npy")
    #expect(wrong.failed(saying: "x.npy", "expected numbers of [N, 32, 32, 3]", "found [5, 30, 32, 3]"), "\(wrong)")
    #expect(model.pictureShape == [32, 32, 3])
  }
}

@Suite("What can be known without training")
struct KnowledgeTests {
  private let root = fixture("..").standardizedFileURL.deletingLastPathComponent().path

  @Test("inspect has every key that is promised")
  func inspect() throws {
    let outcome = try Program.run(["inspect", "pretrained/efficientnet-lite0.h5", "--json"], in: root)
    let found = try #require(try outcome.json() as? [String: Any])
    #expect(found["format"] as? String == "h5")
    #expect(found["family"] as? String == "efficientnet-lite0")
    #expect(found["parameters"] as? Int == 4_652_008 + 42016)
    #expect(found["kerasVersion"] is String)
    let stages = try #require(found["stages"] as? [[String: Any]])
    #expect(
      stages.compactMap { $0["name"] as? String } == ["stem"] + (1...7).map { "stage\($0)" } + ["top"])
    let layers = try #require(found["layers"] as? [[String: Any]])
    let stem = try #require(layers.first { $0["name"] as? String == "stem_conv" })
    #expect(stem["kind"] as? String == "Conv2D")
    #expect(stem["outputShape"] as? [Int] == [112, 112, 32])
    #expect(stem["parameters"] as? Int == 864)
    #expect(stem["frozen"] as? Bool == false)
    #expect((found["inputs"] as? [[String: Any]])?.count == 1)
    #expect((found["outputs"] as? [[String: Any]])?.count == 1)
  }

  @Test("inspect says what a selection picks")
  func select() throws {
    let name = "pretrained/efficientnet-lite0.h5"
    let outcome = try Program.run(["inspect", name, "--select", "layer:predictions", "--json"], in: root)
    let found = try #require(try outcome.json() as? [String: Any])
    let selection = try #require(found["selection"] as? [String: Any])
    #expect(selection["selection"] as? String == "layer:predictions")
    #expect(selection["count"] as? Int == 1_281_000)
    let parameters = try #require(selection["parameters"] as? [[String: Any]])
    #expect(parameters.compactMap { $0["name"] as? String } == ["predictions/kernel", "predictions/bias"])
    #expect(parameters.compactMap { $0["shape"] as? [Int] } == [[1280, 1000], [1000]])
    #expect(parameters.compactMap { $0["count"] as? Int } == [1_280_000, 1000])
    let text = "stages:last 2 - kind:batch_normalization"
    let table = try Program.run(["inspect", name, "--select", text], in: root)
    #expect(table.output.contains("top_conv/kernel"), "\(table)")
    #expect(!table.output.contains("top_bn/gamma"), "\(table)")
    let wrong = try Program.run(["inspect", name, "--select", "layer:prediction"], in: root)
    #expect(wrong.failed(saying: "no layer prediction", "predictions"), "\(wrong)")
  }

  @Test("models lists what is here and what could be")
  func models() throws {
    let outcome = try Program.run(["models", "--json"], in: root)
    let found = try #require(try outcome.json() as? [String: [[String: Any]]])
    #expect(found["pretrained"]?.first?["name"] as? String == "efficientnet-lite0")
    let families = found["families"]?.compactMap { $0["name"] as? String } ?? []
    #expect(
      Set(["vgg16", "resnet50", "inceptionv3", "efficientnet-lite0"]).isSubset(of: Set(families)), "\(families)")
  }

  @Test("An official file is recognised whatever its name, and found by its family's")
  func official() throws {
    let place = try Workplace()
    let graph = try BackboneFamily.mobileNet(alpha: 0.25).graph()
    let file = "\(place.path)/weights/what I fetched.hdf5"
    try place.write(Data(), to: "weights/none")
    try KerasFiles.write(graph, weights: .generated(for: graph), to: file, format: .wholeModelH5)
    let manifest = """
      {"version": 1, "models": [], "official": [
        {"family": "mobilenet-0.25", "file": "published.h5", "includeTop": false, "sha256": "\(try sha256(ofFile: file))"},
        {"family": "resnet50", "file": "resnet50_notop.h5", "includeTop": false, "md5": "00"}]}
      """
    try place.write(Data(manifest.utf8), to: "weights/manifest.json")
    try place.writePictures(count: 4)
    let environment = ["GRAFT_PRETRAINED": "\(place.path)/weights", "KERAS_HOME": "\(place.path)/none"]
    let listed = try Program.run(["models", "--json"], in: place.path, environment: environment)
    let official = try #require(try listed.json() as? [String: [[String: Any]]])["official"] ?? []
    #expect(official.count == 1 && official[0]["family"] as? String == "mobilenet-0.25", "\(official)")
    #expect(official.first?["file"] as? String == file && official.first?["isVerified"] as? Bool == true)
    let train = ["train", "--data", "pictures", "--image-size", "32", "--epochs", "1", "--schedule", "head", "--json"]
    let found = try Program.run(
      train + ["--backbone", "mobilenet-0.25", "--output", "run"], in: place.path, environment: environment)
    let loading = try #require(try found.json() as? [String: Any], "\(found)")["loading"] as? [String: Any]
    #expect(loading?["matched"] as? Int == 135)
    let missing = try Program.run(
      train + ["--backbone", "resnet50", "--output", "other"], in: place.path, environment: environment)
    #expect(
      missing.failed(
        saying: "backbone resnet50: is a family without a file here", "\(place.path)/weights",
        "keras.applications.ResNet50(include_top=False) fetches resnet50_notop.h5"), "\(missing)")
  }

  @Test("bench has every key that is promised", arguments: ["none", "head", "last-stage", "all"])
  func bench(train: String) throws {
    let place = try Workplace()
    try place.writeBackbone()
    let outcome = try place.graft("bench", "small.h5", "--train", train, "--batch-size", "4", "--json")
    #expect(outcome.status == 0, "\(outcome)")
    let found = try #require(try outcome.json() as? [String: Any])
    for key in ["imagesPerSecond", "stepMilliseconds", "peakResidentBytes", "arenaBytes"] {
      #expect((found[key] as? Double ?? 0) > 0, "\(key) is \(found[key] ?? "missing")")
    }
    #expect(found["batchSize"] as? Int == 4)
    #expect(found["precision"] as? String == "f32")
    #expect((found["threads"] as? Int ?? 0) > 0)
    #expect((1...4).contains(found["microBatchSize"] as? Int ?? 0))
    let counts = ["none": 0, "head": 17000, "last-stage": 1184 + 17000, "all": 232 + 1184 + 17000]
    #expect(found["trainableParameters"] as? Int == counts[train])
  }

  @Test("bench --table says of every operation what it makes, in which layout, and what its primitive takes alone")
  func benchTable() throws {
    let place = try Workplace()
    try place.writeBackbone()
    let arguments = [
      "bench", "small.h5", "--train", "all", "--batch-size", "4", "--micro-batch-size", "4", "--table",
    ]
    let outcome = try Program.run(arguments + ["--json"], in: place.path)
    #expect(outcome.status == 0, "\(outcome)")
    let found = try #require(try outcome.json() as? [String: Any])
    let operations = try #require(found["operations"] as? [[String: Any]])
    let primitives = operations.filter { $0["limitMilliseconds"] is Double }
    for primitive in primitives {
      let dimensions = primitive["dimensions"] as? [Int] ?? []
      let isForward = primitive["isBackward"] as? Bool == false
      #expect(dimensions.count == 2 || dimensions.count == 4, "\(primitive)")
      #expect(!isForward || dimensions.first == 4, "\(primitive)")
      #expect((primitive["layout"] as? String)?.isEmpty == false, "\(primitive)")
      for key in ["byteCount", "operationCount"] { #expect((primitive[key] as? Int ?? 0) > 0, "\(primitive)") }
    }
    let limit = try #require(found["limitMilliseconds"] as? Double)
    let sum = primitives.reduce(0) { $0 + ($1["limitMilliseconds"] as? Double ?? 0) }
    #expect(limit > 0 && abs(sum - limit) <= 1e-6 * limit, "\(sum) of \(limit)")
    let text = try Program.run(arguments, in: place.path)
    #expect(text.output.contains("alone") && text.output.contains("layout"), "\(text)")
  }

  @Test("nothing falls back to oneDNN's reference loops on an older processor", arguments: ["SSE41", "AVX"])
  func olderProcessor(instructions: String) throws {
    #if arch(x86_64)
      let outcome = try Program.run(
        [
          "bench", "mobilenet-0.25", "--image-size", "32", "--train", "all", "--batch-size", "2", "--micro-batch-size",
          "2", "--table", "--json",
        ], in: "/", environment: ["ONEDNN_MAX_CPU_ISA": instructions])
      let found = try #require(try outcome.json() as? [String: Any])
      let operations = try #require(found["operations"] as? [[String: Any]])
      let implementations = Set(operations.compactMap { $0["implementation"] as? String })
      #expect(implementations.contains { $0.hasSuffix("sse41") }, "\(implementations)")
      #expect(!implementations.contains { $0.hasPrefix("ref") }, "\(implementations)")
    #endif
  }

  @Test("every command's help shows an example")
  func help() throws {
    for command in [
      "models", "inspect", "schedule", "train", "evaluate", "predict", "apply", "export", "verify", "bench",
    ] {
      let outcome = try Program.run([command, "--help"], in: "/")
      #expect(outcome.status == 0)
      #expect(outcome.output.contains("graft \(command) "), "\(outcome.output)")
    }
  }
}
