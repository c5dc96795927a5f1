// A keyboard that a browser lays over the page (where it does not know `interactive-widget`) takes from its height.
import { root } from './page.js';

const seen = window.visualViewport;

function fit() {
  // Who zooms in sees less of the page too, and has it as large as before.
  const covered = seen && seen.scale < 1.01 ? Math.round(innerHeight - seen.height) : 0;
  root.style.setProperty('--covered', covered > 60 ? `${covered}px` : '');
  // The browser moved the field into sight by moving the whole page.
  if (covered > 60) scrollTo(0, 0);
}

seen?.addEventListener('resize', fit);
