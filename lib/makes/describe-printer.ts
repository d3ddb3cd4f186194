import type { Make, PrinterCapabilities, ReportedCapabilities, ReportedSlot } from '../model/printer';
import { hasSize, mergeCapabilities } from './known-capabilities';
import type { ModelSlot, PrinterModel } from './model-table';
import { toolOfSlot } from './slot-tools';
import { makeTraits } from './traits';

/** The inputs that determine a printer's capabilities. */
export interface PrinterFacts {
  /** The models that its owner may choose from, and the default if neither the owner nor the printer names one. */
  models: readonly PrinterModel[];
  fallback: PrinterModel;
  /** The token of the model that its owner chose. */
  chosen?: string | undefined;
  given: Partial<PrinterCapabilities>;
  /** As it is stored; undefined if it is new. */
  stored?: PrinterCapabilities | undefined;
  /** The printer's reports so far. */
  reported?: ReportedCapabilities | undefined;
}

/**
 * Returns the model of a printer: the owner's choice, otherwise the reported one, otherwise the previously known one,
 * otherwise the default.
 */
export function modelOf({ models, fallback, chosen, stored, reported }: PrinterFacts): PrinterModel {
  const tokens = [chosen, reported?.model, stored?.model];
  const found = tokens.map((token) => models.find((one) => token !== undefined && one.token === token));
  return found.find((one) => one !== undefined) ?? fallback;
}

/**
 * Returns the known capabilities of a printer. The cost and power draw of its hours come from neither the printer nor
 * its model.
 */
export function describePrinter(facts: PrinterFacts): PrinterCapabilities {
  const { given, stored, reported } = facts;
  const model = modelOf(facts).capabilities;
  // For a model without a size, the previously known size applies until the printer has reported its own.
  const isBlank = !hasSize(model.buildVolume) && !reported?.buildVolume;
  const base = stored && isBlank ? withoutMacros(stored) : { ...model, ...(stored && pricesOf(stored)) };
  // The model is already decided.
  const { model: _told, ...rest } = reported ?? {};
  return mergeCapabilities(given, rest, base);
}

/** Only the owner decides which macros a file may call, and may revoke this at any time. */
const withoutMacros = ({ allowedMacros: _taken, ...rest }: PrinterCapabilities): PrinterCapabilities => rest;

const pricesOf = ({ usdPerHour, speedFactor, watts }: PrinterCapabilities): Partial<PrinterCapabilities> => ({
  usdPerHour,
  speedFactor,
  ...(watts !== undefined && { watts }),
});

/**
 * The reported filament slots that may be added automatically. A Bambu's external spool counts only if it has no AMS.
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
