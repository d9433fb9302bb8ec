import { type Html, html } from '../../html.ts';

/** What the page says while this machine sends later than it should; null: it does not. */
export function latenessNotice({ steps, worstMs }: { steps: number; worstMs: number }): Html | null {
  if (steps === 0) return null;
  const counted = steps === 1 ? 'One step' : `${steps} steps`;
  return html`<p class="late"><b>This machine is running late.</b> ${counted} of the last minute went out after the time, by up to ${spanOf(worstMs)}. Nothing is lost; a step that would come too late is left out, and says so.</p>`;
}

function spanOf(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 90) return `${seconds} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
