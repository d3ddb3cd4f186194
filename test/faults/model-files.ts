import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Prints of a few minutes, small enough for every printer, which no slicer is needed for. */
export function writePrintFiles(directory: string): string[] {
  return [40, 90, 200].map((moves) => {
    const lines = ['; a square, over and over', 'M140 S60', 'M104 S210', 'G28', 'G90', 'M83', 'M190 S60', 'M109 S210'];
    for (let move = 0; move < moves; move++) {
      const corner = move % 4;
      if (corner === 0) lines.push(`G1 Z${(0.2 + Math.floor(move / 4) * 0.2).toFixed(2)} F600`);
      lines.push(`G1 X${corner === 0 || corner === 3 ? 100 : 140} Y${corner < 2 ? 100 : 140} E1.2 F900`);
    }
    lines.push('M104 S0', 'M140 S0', 'M84', '');
    const path = join(directory, `squares-${moves}.gcode`);
    writeFileSync(path, lines.join('\n'));
    return path;
  });
}
