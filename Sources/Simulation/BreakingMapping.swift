import ControlPlane
import Platform
import Primitives
import Scenario

extension ScenarioMapping {
  func breaking(_ section: BreakingSection) -> BreakerRules {
    var rules = BreakerRules()
    rules.enforcesConsecutiveErrors = section.consecutiveErrors != nil
    rules.consecutiveErrors = section.consecutiveErrors ?? rules.consecutiveErrors
    rules.enforcesConsecutiveGatewayErrors = section.consecutiveGatewayErrors != nil
    rules.consecutiveGatewayErrors =
      section.consecutiveGatewayErrors ?? rules.consecutiveGatewayErrors
    rules.interval = section.interval
    rules.baseEjectionTime = section.baseEjection
    rules.maxEjectionTime = section.maxEjection
    rules.maxEjectionPercent = section.maxEjectionPercent
    rules.alwaysEjectsOne = section.alwaysEjectsOne
    rules.enforcesSuccessRate = section.judgesSuccessRates
    rules.slownessPercent = section.slowness.map { Int(($0 * 100).rounded()) }
    return rules
  }

  func migration(_ section: CoordinatorSection) -> MigrationRules {
    var rules = MigrationRules()
    rules.longBreakEjections = section.longBreakEjections
    rules.longBreakTime = section.longBreak
    rules.longBreakCallers = section.longBreakCallers
    rules.mostPerService = section.mostMigrations
    rules.budgetShare = Int((section.budget * 100).rounded())
    rules.repeatAfter = section.repeatAfter
    return rules
  }
}
