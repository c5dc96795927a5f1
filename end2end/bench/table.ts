// The table of `cargo xtask bench`, in the same form as benches/budgets/table.rs prints it.
export type Row = {
  figure: string;
  ours: number;
  unit: 'ms' | 'kB' | 'points' | '';
  // In the same unit.
  baseline?: number;
  atMost?: number;
  atLeast?: number;
};

const amount = (value: number, unit: Row['unit']): string => {
  const decimals = unit === '' ? 3 : unit === 'kB' ? 1 : 0;
  return `${value.toFixed(decimals)} ${unit}`.trim();
};

function verdict({ ours, unit, atMost, atLeast }: Row): string {
  const over = atMost !== undefined ? ours - atMost : atLeast !== undefined ? atLeast - ours : undefined;
  if (over === undefined) return '–';
  return over <= 0 ? 'meets' : `falls short by ${amount(over, unit)}`;
}

export function rendered(name: string, rows: Row[], notes: string[]): string {
  const lines = [['BENCH', 'FIGURE', 'OURS', 'BASELINE', 'RATIO', 'BUDGET', 'VERDICT']];
  for (const row of rows) {
    const { figure, ours, unit, baseline, atMost, atLeast } = row;
    const budget = atMost !== undefined ? `≤ ${amount(atMost, unit)}` : atLeast !== undefined ? `≥ ${amount(atLeast, unit)}` : '–';
    const beside = baseline === undefined ? ['–', '–'] : [amount(baseline, unit), `${(ours / baseline).toFixed(2)} ×`];
    lines.push([name, figure, amount(ours, unit), ...beside, budget, verdict(row)]);
  }
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  // Figures stand right, words left.
  const shown = lines.map((line) =>
    line.map((cell, column) => (column >= 2 && column <= 4 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))).join('  ').trimEnd(),
  );
  return `${shown.join('\n')}\n\n${name}: ${notes.join(' ')}\n`;
}

export const median = (values: number[]): number => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)]!;
