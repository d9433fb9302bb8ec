// What interventions do, cost and bring in.   node examples/accounts-at-risk/figures.mjs
import { ask, money } from './store.mjs';

const risk = await ask('/api/risk');
console.log(`${risk.prediction.words}, by ${risk.by}:`, risk.bands);
const figures = await ask('/api/interventions/figures?days=30');
for (const { band, begun, success, cost, attributed, roi_attributed: roi, protected: saved } of figures.bands) {
  const rate =
    success.rate === null ? 'no window is over' : `${success.successes} of ${success.cases} (${success.interval.low} to ${success.interval.high} %)`;
  console.log(`${band}: ${begun} begun; came back: ${rate}; cost ${money(cost.amounts)}${cost.unknown.length > 0 ? ' and an unknown part' : ''}`);
  console.log(
    `  attributed ${money(attributed)}, return ${roi.percent === null ? roi.because : `${roi.percent} % = ${roi.multiple} times the cost`}`,
  );
  console.log(`  protected beyond those held out: ${saved === null ? 'unknown, nobody was held out long enough' : money(saved)}`);
}
const { channels } = await ask('/api/caps/figures?days=30');
for (const { channel, steps, share } of channels) console.log(`caps: ${channel}, ${share} % of ${steps} steps put off or left out`);
