// Runs the tests of decisions for Stryker, from the sources. Stryker's own runner for mocha does not load mocha 12.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import {
  DryRunStatus,
  determineHitLimitReached,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';
import Mocha from 'mocha';
import { testFiles } from './files.mjs';

/** A test that waits for something that a mutant no longer does has failed (ms). */
const timeout = 10_000;

class DecisionTests {
  static inject = ['options'];
  #context;
  #mocha;
  #currentTest;
  #loaded = false;

  constructor() {
    this.#context = globalThis.__stryker__ ??= {};
  }

  capabilities() {
    return { reloadEnvironment: false };
  }

  async init() {
    // The leftovers of a mutant must not end the process, which takes long to load everything again.
    process.on('unhandledRejection', () => undefined);
    process.on('uncaughtException', () => undefined);
    const require = createRequire(join(process.cwd(), 'package.json'));
    require('tsx/cjs');
    this.#mocha = new Mocha({ timeout });
    this.#mocha.cleanReferencesAfterRun(false);
    for (const file of testFiles(process.cwd())) this.#mocha.addFile(join(process.cwd(), file));
    const runner = this;
    this.#mocha.suite.beforeEach(function () {
      runner.#currentTest?.(this.currentTest.fullTitle());
    });
    this.#mocha.reporter(function Quiet(run) {
      runner.tests = [];
      let began = performance.now();
      const report = (test, result) => {
        const id = test.fullTitle();
        runner.tests.push({ id, name: id, timeSpentMs: performance.now() - began, fileName: test.file, ...result });
        began = performance.now();
      };
      run.on('pass', (test) => report(test, { status: TestStatus.Success }));
      run.on('fail', (test, error) =>
        report(test.ctx?.currentTest ?? test, { status: TestStatus.Failed, failureMessage: error.message || 'failed' }),
      );
    });
  }

  async dryRun({ coverageAnalysis, disableBail }) {
    if (coverageAnalysis === 'perTest') {
      this.#currentTest = (name) => {
        this.#context.currentTestId = name;
      };
    }
    const result = await this.#run(!disableBail);
    this.#currentTest = undefined;
    if (result.status === DryRunStatus.Complete) result.mutantCoverage = this.#context.mutantCoverage;
    return result;
  }

  async mutantRun({ activeMutant, testFilter, disableBail, hitLimit, mutantActivation }) {
    this.#context.hitLimit = hitLimit;
    this.#context.hitCount = hitLimit ? 0 : undefined;
    const names = testFilter?.map((name) => `^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
    this.#mocha.grep(new RegExp(names ? names.join('|') : ''));
    return toMutantRunResult(await this.#run(!disableBail, activeMutant.id, mutantActivation));
  }

  async #run(bail, mutant, activation) {
    const setBail = (suite) => {
      suite.bail(bail);
      for (const one of suite.suites) setBail(one);
    };
    try {
      if (!this.#loaded) {
        this.#context.activeMutant = activation === 'static' ? mutant : undefined;
        this.#mocha.loadFiles();
        this.#loaded = true;
      }
      setBail(this.#mocha.suite);
      this.#context.activeMutant = mutant;
      await new Promise((resolve) => {
        this.#mocha.run(resolve);
      });
      const { hitCount, hitLimit } = this.#context;
      return determineHitLimitReached(hitCount, hitLimit) ?? { status: DryRunStatus.Complete, tests: this.tests };
    } catch (error) {
      return { status: DryRunStatus.Error, errorMessage: String(error?.stack ?? error) };
    } finally {
      this.#context.activeMutant = undefined;
    }
  }

  async dispose() {
    this.#mocha?.dispose();
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'decisions', DecisionTests)];
