import { analyseHere } from '../../lib/files/analyse';

// One process: what reading an STL takes by our analysis.
void analyseHere(process.argv[2] ?? '').then(({ triangles, volumeMm3, watertight }) => {
  console.log(JSON.stringify({ triangles, volumeMm3, watertight, rss: process.resourceUsage().maxRSS / 1024 }));
});
