import type { FileFacts, SlicedFacts } from '../model/sliced-facts';
import type { FileAnalysis, GcodeAnalysis } from './analysis';

/** The part of an analysis that decides where a file can be printed. */
export function fileFacts(analysis: FileAnalysis): FileFacts {
  return {
    sliced: analysis.print ? slicedFacts(analysis.print) : null,
    volumes: analysis.project?.volumes ?? [],
  };
}

/** The same of G-code alone. */
export function slicedFacts(print: GcodeAnalysis): SlicedFacts {
  return {
    slicer: print.slicer,
    madeFor: print.printerModel,
    box: print.bounds,
    partBox: print.partBounds,
    travelBox: print.travelBounds,
    extrudingMoves: print.extrudingMoves,
    nozzleTemperature: print.maxNozzleTemperature,
    bedTemperature: print.maxBedTemperature,
    hottest: print.hottest,
    badNumbers: print.badNumbers,
    loneReturns: print.loneReturns,
    extendedCommands: print.extendedCommands,
    commandLines: print.commandLines,
    dangerousCommands: print.dangerousCommands,
    vendorCommands: print.vendorCommands,
    complete: print.complete,
    tools: print.tools,
    filaments: print.filaments,
    nozzleDiameters: print.nozzleDiameters,
    bedType: print.bedType,
  };
}
