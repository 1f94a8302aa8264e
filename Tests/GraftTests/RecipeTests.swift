import Freezing
import Graft
import Testing

/// What a recipe chooses for pictures of different number, size and balance.
@Suite struct RecipeTests {
  private static let backbone = Result { try Backbone.load("efficientnet-lite0") }

  private func facts(_ count: Int, side: Int? = 300, smallest: Int? = nil) -> DataFacts {
    DataFacts(
      trainingCount: count, validationCount: count / 5, classCount: 10, smallestClass: smallest ?? count / 10,
      largestClass: count / 10, pictureSide: side)
  }

  private func choices(_ recipe: Recipe, _ facts: DataFacts) throws -> RecipeChoices {
    try RecipeChoices(recipe, for: facts, backbone: Self.backbone.get())
  }

  @Test func fewPicturesGetManyEpochsAndManyGetFew() throws {
    let epochs = try [40, 200, 1500, 50_000].map { count in
      try #require(choices(.balanced, facts(count)).schedule.phases.first?.epochs)
    }
    #expect(epochs == epochs.sorted(by: >))
    #expect(epochs.allSatisfy { (10...100).contains($0) })
    #expect(try choices(.balanced, facts(50_000)).batchSize > choices(.balanced, facts(200)).batchSize)
  }

  @Test func recipesDifferInWhatTrains() throws {
    func trained(_ recipe: Recipe) throws -> [ParameterSelection] {
      try choices(recipe, facts(400)).schedule.phases.map(\.train)
    }
    #expect(try trained(.fast) == [.head])
    #expect(try trained(.balanced) == [.head, .head + .stages(last: 3)])
    #expect(try trained(.best) == [.head, .head + .stages(last: 5)])
    let small = try choices(.balanced, facts(400, side: 28))
    #expect(small.schedule == (try choices(.best, facts(400, side: 28))).schedule)
    #expect(small.explanation().contains("pictures so small"))
    for recipe in [Recipe.balanced, .best] {
      let few = try choices(recipe, facts(299))
      #expect(few.schedule.phases.map(\.train) == [.head] && few.labelSmoothing == 0)
      #expect(try choices(recipe, facts(100, side: 28)).schedule.phases.count == 2)
      #expect(try choices(recipe, facts(49, side: 28)).schedule.phases.count == 1)
    }
    for recipe in Recipe.allCases { try choices(recipe, facts(200)).schedule.validate() }
  }

  @Test func aTrunkOfFewStagesTrainsWhole() throws {
    var backbone = try Self.backbone.get()
    let stages = backbone.graph.stages
    func trained(_ count: Int, _ recipe: Recipe) throws -> (selection: ParameterSelection?, text: String) {
      backbone.graph.stages = stages.suffix(count)
      let choices = RecipeChoices(recipe, for: facts(400), backbone: backbone)
      return (choices.schedule.phases.last?.train, choices.explanation())
    }
    #expect(try trained(4, .balanced).selection == .head + .stages(last: 3))
    for (count, recipe) in [(1, Recipe.balanced), (3, .balanced), (4, .best), (5, .best)] {
      let (selection, text) = try trained(count, recipe)
      #expect(selection == .all)
      #expect(text.contains("the whole trunk"), "\(text)")
    }
  }

  @Test func smallPicturesAreNotBlownUpToTheBackbonesSize() throws {
    #expect(try choices(.balanced, facts(200, side: 28)).imageSize == Size2D(128))
    #expect(try choices(.balanced, facts(200, side: 97)).imageSize == Size2D(224))
    #expect(try choices(.balanced, facts(200, side: nil)).imageSize == Size2D(224))
  }

  @Test func rareClassesCountMoreWhereSomeAreTenTimesAsFrequent() throws {
    #expect(try choices(.balanced, facts(1000, smallest: 10)).classWeighting == .balanced)
    #expect(try choices(.balanced, facts(1000, smallest: 11)).classWeighting == .none)
  }

  @Test func theExplanationIsOneParagraphWithoutWhatIsOverruled() throws {
    let choices = try choices(.balanced, facts(400))
    let text = choices.explanation()
    #expect(!text.contains("\n"))
    for word in [
      "balanced", "400 pictures", "10 classes", "480 pictures", "16 pictures a step", "224", "mirrored", "a tenth",
    ] {
      #expect(text.contains(word), "\(text)")
    }
    let less = choices.explanation(without: [.imageSize, .augmentation])
    #expect(!less.contains("224") && !less.contains("mirrored") && less.contains("16 pictures a step"))
    #expect(!choices.explanation(without: Set(RecipeChoices.Choice.allCases)).contains(":"))
  }
}
