import { analyseHere } from '../../lib/files/analyse';

// One process: the cost of reading an STL with our analysis.
void analyseHere(process.argv[2] ?? '').then(({ triangles, volumeMm3, watertight }) => {
  console.log(JSON.stringify({ triangles, volumeMm3, watertight, rss: process.resourceUsage().maxRSS / 1024 }));
});
