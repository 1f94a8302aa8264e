import Datasets
import Foundation
import Testing

@Suite struct ManifestTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for number in 1...4 { try folder.copy("colour.png", to: "pictures/\(number).png") }
    try folder.copy("colour.png", to: "with, comma \"and\" quotes.png")
  }

  private func read(_ text: String) throws -> Dataset {
    try Dataset.read(at: try folder.write(text, to: "set.csv"))
  }

  private func detail(_ text: String) -> String? {
    datasetError { _ = try read(text) }?.description.replacingOccurrences(of: folder.path + "/", with: "")
  }

  @Test func columnsAreTasksAndEmptyCellsAreMissingLabels() throws {
    let dataset = try read(
      """
      kind,path,colour
      cat,pictures/1.png,red
      dog,pictures/2.png,
      ,pictures/3.png,blue
      ,pictures/4.png,

      """)
    #expect(
      dataset.tasks == [
        LabelSet(name: "kind", classes: ["cat", "dog"]), LabelSet(name: "colour", classes: ["blue", "red"]),
      ])
    #expect(dataset.samples.map(\.path) == ["pictures/1.png", "pictures/2.png", "pictures/3.png"])
    #expect(dataset.samples.map(\.labels) == [[0, 1], [1, nil], [nil, 0]])
    #expect(dataset.file(of: 0) == folder.path + "/pictures/1.png")
    #expect(dataset.notes == ["1 picture without any label was left out: line 5"])
  }

  @Test func quotesCarriageReturnsAndByteOrderMarksAreRead() throws {
    let dataset = try read(
      "\u{feff}path,\"kind\"\r\n" + "\"with, comma \"\"and\"\" quotes.png\",\"two\nlines\"\r\n"
        + "\r\n" + "pictures/1.png,\"\"\"\"\r\n")
    #expect(dataset.tasks[0].classes == ["\"", "two\nlines"])
    #expect(dataset.samples.map(\.path) == ["pictures/1.png", "with, comma \"and\" quotes.png"])
  }

  @Test func absolutePathsAreTaken() throws {
    let dataset = try read("path,kind\n\(folder.path)/pictures/1.png,a\npictures/2.png,b\n")
    #expect(dataset.file(of: 0) == folder.path + "/pictures/1.png")
  }

  @Test func splitColumnStandsAndValidationIsCutFromTrainingWhereItIsMissing() throws {
    let whole = try read(
      "path,kind,split\npictures/1.png,a,train\npictures/2.png,b,TRAIN\npictures/3.png,a,val\npictures/4.png,b,test\n")
    let split = try Split(whole, seed: 3)
    #expect(split.training == [0, 1] && split.validation == [2] && split.test == [3])

    let samples = (0..<40).map { Sample(path: "\($0)", labels: [$0 % 2], part: $0 < 30 ? .training : .test) }
    let task = LabelSet(name: "kind", classes: ["a", "b"])
    let partial = try Split(Dataset(root: "/", tasks: [task], samples: samples), seed: 3)
    #expect(partial.test == Array(30..<40))
    #expect(partial.validation.count == 5 || partial.validation.count == 6)
    #expect((partial.training + partial.validation).sorted() == Array(0..<30))
  }

  @Test(arguments: [
    ("", "set.csv: expected a first line with the columns' names, found an empty file"),
    ("path,kind\n", "set.csv: expected a line for each picture, found none"),
    ("file,kind\npictures/1.png,a\n", "set.csv, line 1: expected a column \"path\", found \"file\", \"kind\""),
    (
      "path;kind\npictures/1.png;a\n",
      "set.csv, line 1: expected a column \"path\", found \"path;kind\"; cells end with commas"
    ),
    (
      "path\npictures/1.png\n", "set.csv, line 1: expected a column of labels for each task beside \"path\", found none"
    ),
    ("path,a,a\n", "set.csv, line 1: two columns are named \"a\""),
    ("path,a,\n", "set.csv, line 1: column 3 has no name"),
    ("path, a\n", "set.csv, line 1: \" a\" begins or ends with a space"),
    (
      "path,kind\npictures/1.png,a\npictures/2.png\n",
      "set.csv, line 3: expected 2 cells as in the first line, found 1"
    ),
    (
      "path,kind\npictures/1.png,\"a\nb\"\npictures/2.png,b,c\n",
      "set.csv, line 4: expected 2 cells as in the first line, found 3"
    ),
    ("path,kind\n,a\n", "set.csv, line 2: the cell \"path\" is empty"),
    ("path,kind\npictures/1.png,a \n", "set.csv, line 2: \"a \" begins or ends with a space"),
    (
      "path,kind\npictures/1.png,a\npictures/1.png,b\n",
      "set.csv, line 3: pictures/1.png stands in line 2 already; "
        + "a picture listed twice could be trained on and tested on"
    ),
    (
      "path,kind,split\npictures/1.png,a,trian\n",
      "set.csv, line 2: expected \"train\", \"val\" or \"test\" as split, found \"trian\""
    ),
    (
      "path,kind\npictures/1.png,a\npictures/2.png,a\n",
      "set.csv: expected at least two classes in column \"kind\", found one, \"a\""
    ),
    ("path,kind\npictures/1.png,\n", "set.csv: expected at least two classes in column \"kind\", found none"),
    ("path,kind\npictures/1.png,\"a\n", "set.csv, line 2: a quoted cell begins here and does not end"),
    (
      "path,kind\npictures/1.png,a\"b\n",
      "set.csv, line 2: a quote stands inside of a cell that does not begin with one"
    ),
    (
      "path,kind\n\"x\"y,a\n",
      "set.csv, line 2: something follows a closing quote; a quote inside of a quoted cell is written twice"
    ),
  ])
  func everyWrongManifestIsAnErrorOfOneSentence(text: String, message: String) {
    #expect(detail(text) == message)
  }

  @Test func missingPicturesAreNamedWithTheirLine() {
    let text = "path,kind\npictures/1.png,a\nnone.png,b\npictures,b\n"
    #expect(
      detail(text)
        == "set.csv, line 3: there is no file none.png in the manifest's folder \(folder.path) "
        + "(and 1 more of 3 are missing)")
  }

  @Test func textThatIsNoUTF8IsRefused() throws {
    let path = folder.path + "/latin.csv"
    try Data([0x70, 0x61, 0x74, 0x68, 0x2c, 0xe9, 0x0a]).write(to: URL(fileURLWithPath: path))
    let error = datasetError { _ = try Dataset.manifest(at: path) }
    #expect(error?.description == "\(path), line 1: the text is no UTF-8")
  }

  @Test func aMissingManifestIsAnError() {
    let error = datasetError { _ = try Dataset.manifest(at: folder.path + "/none.csv") }
    #expect(error?.code == .notFound)
    #expect(error?.detail == "the file cannot be opened: No such file or directory")
  }
}
