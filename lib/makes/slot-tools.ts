import type { Make } from '../model/printer';
import { makeTraits } from './traits';

/** The tool (from 0) that a slot of this name feeds, if the name implies it; otherwise the first. */
export function toolOfSlot(make: Make, slot: string): number {
  const { numberedSlots, slotTools } = makeTraits[make];
  const number = numberedSlots !== undefined && slot.startsWith(numberedSlots) ? slot.slice(numberedSlots.length) : '';
  return /^\d{1,2}$/.test(number) ? Number(number) : (slotTools?.get(slot) ?? 0);
}

/** Whether the number in a slot's name is the tool that it feeds, on printers with numbered slots. */
export const isNumberOfTool = (slot: string, tool: number): boolean =>
  makesWithNumberedSlots.some((make) => toolOfSlot(make, slot) === tool);

const makesWithNumberedSlots = (Object.keys(makeTraits) as Make[]).filter((make) => makeTraits[make].numberedSlots);
