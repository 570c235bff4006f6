/**
 * The conformance suite and the model-based property test, for the stores of this library and for your own; and faults,
 * for the programs that use them.
 *
 * @since 0.1.0
 */
export * as Case from "./conformance/Case.ts"
export { describeObjectStore, type SuiteOptions } from "./conformance/describeObjectStore.ts"
export { type CaseResult, cases, nameOf, runCase, runCases, type Subject, unmet } from "./conformance/suite.ts"
export * from "./doubles.ts"
export {
  checkProperty,
  type Difference,
  printFalsified,
  type PropertyCheck,
  type PropertyResult
} from "./model/checkProperty.ts"
export { type Command, type CommandMode, type CommandRange, printCommands } from "./model/Command.ts"
export { describeProperty, type PropertyOptions } from "./model/describeProperty.ts"
export { type Observation } from "./model/execute.ts"
