import type { Make, PrinterCapabilities, ReportedCapabilities, ReportedSlot } from '../model/printer';
import { hasSize, mergeCapabilities } from './known-capabilities';
import type { ModelSlot, PrinterModel } from './model-table';
import { toolOfSlot } from './slot-tools';
import { makeTraits } from './traits';

/** What decides what a printer can do. */
export interface PrinterFacts {
  /** The models that its owner may choose from, and what it is if nobody says and it does not say itself. */
  models: readonly PrinterModel[];
  fallback: PrinterModel;
  /** The token of the model that its owner chose. */
  chosen?: string | undefined;
  given: Partial<PrinterCapabilities>;
  /** As it is stored; undefined if it is new. */
  stored?: PrinterCapabilities | undefined;
  /** What it has reported so far. */
  reported?: ReportedCapabilities | undefined;
}

/** The model of a printer: as its owner chose, else as it says itself, else as it was known before, else what is assumed. */
export function modelOf({ models, fallback, chosen, stored, reported }: PrinterFacts): PrinterModel {
  const tokens = [chosen, reported?.model, stored?.model];
  const found = tokens.map((token) => models.find((one) => token !== undefined && one.token === token));
  return found.find((one) => one !== undefined) ?? fallback;
}

/** What a printer can do, as far as is known. What its hours cost and draw is nothing that it or its model tells. */
export function describePrinter(facts: PrinterFacts): PrinterCapabilities {
  const { given, stored, reported } = facts;
  const model = modelOf(facts).capabilities;
  // Of a model without a size only what was known before tells more, until the printer has told it itself.
  const isBlank = !hasSize(model.buildVolume) && !reported?.buildVolume;
  const base = stored && isBlank ? withoutMacros(stored) : { ...model, ...(stored && pricesOf(stored)) };
  // Which model it is is decided already.
  const { model: _told, ...rest } = reported ?? {};
  return mergeCapabilities(given, rest, base);
}

/** Which macros a file may call only the owner says, and may take back at any time. */
const withoutMacros = ({ allowedMacros: _taken, ...rest }: PrinterCapabilities): PrinterCapabilities => rest;

const pricesOf = ({ usdPerHour, speedFactor, watts }: PrinterCapabilities): Partial<PrinterCapabilities> => ({
  usdPerHour,
  speedFactor,
  ...(watts !== undefined && { watts }),
});

/**
 * The places for filament that a printer reports and that may be added by themselves. A spool beside a Bambu counts where it has
 * no AMS.
 */
export function slotsFromReport(make: Make, reported: readonly ReportedSlot[]): ModelSlot[] {
  if (!makeTraits[make].addsReportedSlots) return [];
  const isBeside = ({ slot }: ReportedSlot): boolean => slot.startsWith('ext-');
  const inside = reported.filter((one) => !isBeside(one));
  return (inside.length > 0 ? inside : reported).map(({ slot, tool }) => ({
    slot,
    tool: tool ?? toolOfSlot(make, slot),
  }));
}
