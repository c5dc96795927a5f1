// The page on which all pictures are side by side: FOLDER/index.html, made of the files that are there.
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const kinds = ['phone-dark', 'phone-light', 'desktop-dark', 'desktop-light'];

const style = `
  :root { color-scheme: dark; font: 14px/1.5 system-ui; background: #222; }
  body { margin: 2rem; } h2 { margin-top: 3rem; } h3 { font-weight: 400; }
  .state { display: flex; gap: 1rem; align-items: start; } img { height: 28rem; border: 1px solid #444; } a { color: inherit; }`;

export default function contactSheet(): void {
  const folder = process.env.SHOTS!;
  const walks = readdirSync(folder, { withFileTypes: true }).filter((each) => each.isDirectory()).map(({ name }) => name);
  const sections = walks.sort().map((walk) => {
    const files = readdirSync(path.join(folder, walk)).sort();
    const states = new Set(files.map((file) => file.replace(/-(phone|desktop)-(dark|light)\.png$/, '')));
    const rows = [...states].map((state) => {
      const pictures = kinds.map((kind) => `${state}-${kind}.png`).filter((file) => files.includes(file));
      const images = pictures.map((file) => `<a href="${walk}/${file}"><img src="${walk}/${file}" alt="${file}" loading="lazy"></a>`);
      return `<h3>${state.replaceAll('-', ' ')}</h3><div class="state">${images.join('')}</div>`;
    });
    return `<h2>${walk.replaceAll('-', ' ')}</h2>${rows.join('')}`;
  });
  const page = `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>breakglass in every state</title><style>${style}</style>`;
  writeFileSync(path.join(folder, 'index.html'), `${page}<h1>breakglass in every state</h1>${sections.join('\n')}</html>\n`);
}
