// What is only a call to the browser, and has no state of the console's: it listens at the document and watches what the
// page shows, so the program need not grow for it, and without it all of the page works. `cargo xtask build` makes one file
// of these, in this order: each imports only what stands above it.
import './page.js';
import './turn.js';
import './sheet.js';
import './keys.js';
import './tell.js';
import './settings.js';
import './update.js';
import './sessions.js';
import './view.js';
